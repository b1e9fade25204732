#include "connection.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace porchlight::bench {
namespace {

constexpr std::uint32_t first_client = 0x7f000101;  // 127.0.1.1
constexpr std::uint32_t clients = 64;               // addresses, as a home has

sockaddr_in next_client() {
    static std::uint32_t count = 0;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(first_client + count++ % clients);
    return address;
}

void set(int descriptor, int level, int option) {
    const int one = 1;
    ::setsockopt(descriptor, level, option, &one, sizeof one);
}

}  // namespace

SSL_CTX* client_context() {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set1_groups_list(context, "X25519");
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>("\3dot"), 4);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, Connection::keep_ticket);
    return context;
}

int Connection::keep_ticket(SSL* tls, SSL_SESSION* ticket) {
    auto* const connection = static_cast<Connection*>(SSL_get_app_data(tls));
    SSL_SESSION_free(std::exchange(connection->ticket_, ticket));
    return 1;
}

Connection::Connection(Common& common, std::uint32_t place, std::uint32_t depth_max)
    : common_(common), place_(place), slots_(depth_max) {}

Connection::~Connection() {
    close();
    SSL_SESSION_free(ticket_);
}

bool Connection::open() {
    const int type = (common_.udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK;
    descriptor_ = ::socket(AF_INET, type, 0);
    if (descriptor_ < 0) return false;
    set(descriptor_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    if (!common_.udp) set(descriptor_, IPPROTO_TCP, TCP_NODELAY);
    const sockaddr_in client = next_client();
    if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&client), sizeof client) != 0) {
        std::perror("bench_load: bind");
        std::exit(1);
    }
    const auto* const server = reinterpret_cast<const sockaddr*>(&common_.server);
    if (::connect(descriptor_, server, sizeof common_.server) != 0 && errno != EINPROGRESS) {
        close();
        return false;
    }
    watch(common_.udp ? EPOLLIN : EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
    established_ = common_.udp;
    in_.clear();
    if (common_.udp) return true;
    tls_ = SSL_new(common_.tls);
    SSL_set_bio(tls_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(tls_);
    SSL_set_app_data(tls_, this);
    if (ticket_ && common_.offer_tickets) {
        SSL_SESSION* const copy = SSL_SESSION_dup(ticket_);  // each may be offered once
        SSL_set_session(tls_, copy);
        SSL_SESSION_free(copy);
    }
    return true;
}

void Connection::close() {
    if (descriptor_ < 0) return;
    give_up();
    if (tls_) {
        if (established_) {
            SSL_shutdown(tls_);
            flush();
        }
        SSL_free(std::exchange(tls_, nullptr));
    }
    ::close(std::exchange(descriptor_, -1));
    established_ = false;
}

void Connection::give_up() {
    common_.tally.lost += waiting_;
    waiting_ = 0;
    for (Slot& slot : slots_) slot.waits = false;
}

void Connection::watch(std::uint32_t events, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.u32 = place_;
    ::epoll_ctl(common_.epoll, operation, descriptor_, &event);
}

void Connection::ask() {
    while (slots_[next_slot_].waits) next_slot_ = (next_slot_ + 1) % slots_.size();
    const std::uint32_t number = common_.questions.next();
    slots_[next_slot_] = {true, number};
    const std::string_view question =
        common_.questions.framed(static_cast<std::uint16_t>(next_slot_), number);
    next_slot_ = (next_slot_ + 1) % slots_.size();
    if (common_.udp)
        ::send(descriptor_, question.data() + 2, question.size() - 2, 0);
    else
        SSL_write(tls_, question.data(), static_cast<int>(question.size()));
    ++waiting_;
    ++common_.tally.sent;
}

void Connection::flush() {
    if (!tls_) return;
    char* data = nullptr;
    BIO* const out = SSL_get_wbio(tls_);
    const long size = BIO_get_mem_data(out, &data);
    if (size <= 0) return;
    const ssize_t sent = ::send(descriptor_, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent <= 0) return;
    const std::string rest(data + sent, static_cast<std::size_t>(size - sent));
    (void)BIO_reset(out);
    if (!rest.empty()) BIO_write(out, rest.data(), static_cast<int>(rest.size()));
}

void Connection::on_events(std::uint32_t events) {
    if (events & EPOLLOUT) {  // connected
        watch(EPOLLIN, EPOLL_CTL_MOD);
        SSL_do_handshake(tls_);
        flush();
    }
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) && !receive()) {
        if (!established_) ++common_.tally.lost;
        close();
    }
}

/// False when the other side is gone.
bool Connection::receive() {
    static std::array<char, 65536> buffer;
    if (common_.udp) {
        ssize_t size;
        while ((size = ::recv(descriptor_, buffer.data(), buffer.size(), 0)) > 0)
            take({buffer.data(), static_cast<std::size_t>(size)});
        return true;
    }
    const ssize_t size = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EAGAIN) return true;
    if (size <= 0) return false;
    BIO_write(SSL_get_rbio(tls_), buffer.data(), static_cast<int>(size));
    if (!established_ && !shake_hands()) return false;
    if (!established_) return true;
    int decrypted;
    while ((decrypted = SSL_read(tls_, buffer.data(), static_cast<int>(buffer.size()))) > 0)
        in_.append(buffer.data(), static_cast<std::size_t>(decrypted));
    const bool alive = SSL_get_error(tls_, decrypted) == SSL_ERROR_WANT_READ;
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(in_[i]); };
    std::size_t at = 0;
    while (in_.size() - at >= 2) {
        const std::size_t length = octet(at) * 256u + octet(at + 1);
        if (in_.size() - at - 2 < length) break;
        take(std::string_view(in_).substr(at + 2, length));
        at += 2 + length;
    }
    in_.erase(0, at);
    return alive;
}

/// False when it failed; it may also have to go on.
bool Connection::shake_hands() {
    const int result = SSL_do_handshake(tls_);
    flush();
    if (result != 1) return SSL_get_error(tls_, result) == SSL_ERROR_WANT_READ;
    established_ = true;
    ++common_.tally.handshakes;
    if (SSL_session_reused(tls_)) ++common_.tally.resumed;
    return true;
}

void Connection::take(std::string_view message) {
    Tally& tally = common_.tally;
    if (message.size() < 12) {
        ++tally.wrong;
        return;
    }
    const std::size_t id =
        static_cast<unsigned char>(message[0]) * 256u + static_cast<unsigned char>(message[1]);
    if (id >= slots_.size() || !slots_[id].waits) {
        ++tally.wrong;
        return;
    }
    ++(common_.questions.answered_by(message, slots_[id].number) ? tally.answers : tally.wrong);
    slots_[id].waits = false;
    --waiting_;
}

}  // namespace porchlight::bench
