#include "server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "answer.h"
#include "http2.h"

namespace porchlight::bench {
namespace {

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) {
    for (unsigned i = 0; i < offered_size; i += offered[i] + 1u) {
        const std::string_view name(reinterpret_cast<const char*>(offered + i + 1), offered[i]);
        if (name != "h2" && name != "dot") continue;
        *chosen = offered + i + 1;
        *size = offered[i];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

SSL_CTX* tls_context(const char* chain, const char* key) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if (SSL_CTX_use_certificate_chain_file(context, chain) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        std::fprintf(stderr, "bench_floor: can't load %s and %s\n", chain, key);
        std::exit(1);
    }
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets are enough
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    return context;
}

/// Keeps a small buffer, gives back a large one.
void empty(std::string& buffer) {
    if (buffer.capacity() > 4096)
        std::string().swap(buffer);
    else
        buffer.clear();
}

/// Takes the whole framed messages at the front of `in`: how many questions, or -1.
int answer_frames(std::string& in, std::string& out) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(in[i]); };
    int questions = 0;
    std::size_t at = 0;
    while (in.size() - at >= 2) {
        const std::size_t size = octet(at) * 256u + octet(at + 1);
        if (in.size() - at - 2 < size) break;
        const std::size_t start = out.size();
        out.append(2, 0);
        if (!append_answer(std::string_view(in).substr(at + 2, size), out)) return -1;
        const std::size_t answered = out.size() - start - 2;
        out[start] = static_cast<char>(answered >> 8);
        out[start + 1] = static_cast<char>(answered & 255);
        at += 2 + size;
        ++questions;
    }
    in.erase(0, at);
    return questions;
}

}  // namespace

struct Server::Connection {
    ~Connection() {
        SSL_free(tls);
        ::close(descriptor);
    }
    int descriptor;
    SSL* tls;
    Speaks protocol;
    bool ready = false, blocked = false;
    std::string in{}, out{};
    Http2 http{};
};

Server::Server(const Ports& ports, const char* chain, const char* key, std::uint64_t* counter)
    : context_(tls_context(chain, key)), epoll_(::epoll_create1(0)), counter_(counter) {
    if (ports.dot) dot_ = listen(SOCK_STREAM, ports.dot);
    if (ports.doh) doh_ = listen(SOCK_STREAM, ports.doh);
    if (ports.udp) udp_ = listen(SOCK_DGRAM, ports.udp);
}

Server::~Server() {
    SSL_CTX_free(context_);
}

int Server::listen(int type, std::uint16_t port) {
    const int descriptor = ::socket(AF_INET, type | SOCK_NONBLOCK, 0);
    const int one = 1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(port);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(descriptor, reinterpret_cast<sockaddr*>(&here), sizeof here)) die("bind");
    if (type == SOCK_STREAM && ::listen(descriptor, 4096)) die("listen");
    watch(descriptor, EPOLLIN, EPOLL_CTL_ADD);
    return descriptor;
}

void Server::watch(int descriptor, std::uint32_t events, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    if (::epoll_ctl(epoll_, operation, descriptor, &event)) die("epoll_ctl");
}

void Server::run() {
    std::array<epoll_event, 256> events;
    for (;;) {
        const int count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
        for (int i = 0; i < count; ++i) {
            const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
            if (descriptor == udp_)
                serve_udp();
            else if (descriptor == dot_ || descriptor == doh_)
                accept_all(descriptor, descriptor == dot_ ? Speaks::dot : Speaks::doh);
            else
                serve(*connections_[static_cast<std::size_t>(descriptor)]);
        }
    }
}

void Server::accept_all(int listener, Speaks protocol) {
    int descriptor;
    while ((descriptor = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0) {
        const int one = 1;
        ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        const auto place = static_cast<std::size_t>(descriptor);
        if (connections_.size() <= place) connections_.resize(place + 1024);
        SSL* tls = SSL_new(context_);
        SSL_set_fd(tls, descriptor);
        SSL_set_accept_state(tls);
        connections_[place].reset(new Connection{descriptor, tls, protocol});
        watch(descriptor, EPOLLIN, EPOLL_CTL_ADD);
    }
}

void Server::drop(Connection& connection) {
    connections_[static_cast<std::size_t>(connection.descriptor)].reset();
}

void Server::serve(Connection& connection) {
    static std::array<char, 17000> buffer;
    if (!connection.ready && !shake_hands(connection)) return;
    do {
        const int size = SSL_read(connection.tls, buffer.data(), static_cast<int>(buffer.size()));
        if (size <= 0) {
            if (SSL_get_error(connection.tls, size) == SSL_ERROR_WANT_READ) break;
            return drop(connection);
        }
        connection.in.append(buffer.data(), static_cast<std::size_t>(size));
    } while (SSL_has_pending(connection.tls));
    if (!answer(connection)) return drop(connection);
    flush(connection);
}

/// True once it is over and a question is there to be read.
bool Server::shake_hands(Connection& connection) {
    const int result = SSL_do_handshake(connection.tls);
    if (result != 1) {
        const int error = SSL_get_error(connection.tls, result);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) drop(connection);
        return false;
    }
    connection.ready = true;
    return SSL_has_pending(connection.tls) == 1;
}

bool Server::answer(Connection& connection) {
    const int questions = connection.protocol == Speaks::doh
                              ? connection.http.answer(connection.in, connection.out)
                              : answer_frames(connection.in, connection.out);
    if (questions < 0) return false;
    if (connection.in.empty()) empty(connection.in);
    count(questions);
    return true;
}

void Server::flush(Connection& connection) {
    if (connection.out.empty()) return;
    const int sent =
        SSL_write(connection.tls, connection.out.data(), static_cast<int>(connection.out.size()));
    const bool blocked = sent <= 0;
    if (!blocked) empty(connection.out);  // partial writes are off: all or nothing
    if (blocked == connection.blocked) return;
    connection.blocked = blocked;
    watch(connection.descriptor, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
}

void Server::serve_udp() {
    constexpr std::size_t batch = 32;
    static std::array<std::array<char, 2048>, batch> queries;
    static std::array<std::string, batch> answers;
    static std::array<sockaddr_storage, batch> from;
    static std::array<iovec, batch> in, out;
    static std::array<mmsghdr, batch> received, sent;
    for (std::size_t i = 0; i < batch; ++i) {
        in[i] = {queries[i].data(), queries[i].size()};
        received[i].msg_hdr = {&from[i], sizeof from[i], &in[i], 1, nullptr, 0, 0};
    }
    const int count_in = ::recvmmsg(udp_, received.data(), batch, 0, nullptr);
    unsigned count_out = 0;
    for (std::size_t i = 0; i < batch && static_cast<int>(i) < count_in; ++i) {
        std::string& answer = answers[count_out];
        answer.clear();
        if (!append_answer({queries[i].data(), received[i].msg_len}, answer)) continue;
        out[count_out] = {answer.data(), answer.size()};
        sent[count_out].msg_hdr = {
            &from[i], received[i].msg_hdr.msg_namelen, &out[count_out], 1, nullptr, 0, 0};
        ++count_out;
    }
    for (unsigned done = 0; done < count_out;) {
        const int step = ::sendmmsg(udp_, sent.data() + done, count_out - done, 0);
        if (step <= 0) break;
        done += static_cast<unsigned>(step);
    }
    count(static_cast<int>(count_out));
}

void Server::count(int questions) {
    if (counter_) *counter_ += static_cast<std::uint64_t>(questions);
}

}  // namespace porchlight::bench
