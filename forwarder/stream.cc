#include "forwarder/stream.h"

#include <linux/sockios.h>
#include <openssl/err.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>

namespace porchlight::forwarder {
namespace {

using Outcome = Stream::Outcome;
using State = Stream::State;

/// SSL_get_error() looks at the queue, which must hold nobody else's errors.
void forget_errors() {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

int size_for_ssl(std::size_t size) {
    return size > INT_MAX ? INT_MAX : static_cast<int>(size);
}

Outcome plain_outcome(ssize_t returned, State would_block) {
    if (returned > 0) return {State::done, static_cast<std::size_t>(returned)};
    if (returned == 0) return {State::ended};
    return {errno == EAGAIN || errno == EINTR ? would_block : State::failed};
}

}  // namespace

Outcome Stream::outcome_of(int returned) {
    if (returned > 0) return {State::done, static_cast<std::size_t>(returned)};
    const int why = SSL_get_error(ssl_.get(), returned);
    forget_errors();
    switch (why) {
        case SSL_ERROR_WANT_READ:
            return {State::wait_readable};
        case SSL_ERROR_WANT_WRITE:
            return {State::wait_writable};
        case SSL_ERROR_WANT_CLIENT_HELLO_CB:
            return {State::hello};
        case SSL_ERROR_ZERO_RETURN:
            return {State::ended};
        default:
            return {State::failed};
    }
}

Outcome Stream::handshake() {
    if (!ssl_) return {State::done};
    forget_errors();
    return outcome_of(SSL_do_handshake(ssl_.get()));
}

bool Stream::costs_more() const {
    if (hello_of(ssl_.get()) == Hello::none) return false;
    // The share that both sides' secret was made with.
    EVP_PKEY* share = nullptr;
    const bool is_done = SSL_get_peer_tmp_key(ssl_.get(), &share) == 1;
    EVP_PKEY_free(share);
    return !is_done;
}

std::string_view Stream::protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return text_of({name, size});
}

std::string_view Stream::server_name() const {
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : std::string_view();
}

Outcome Stream::read(std::span<std::uint8_t> into) {
    if (!ssl_)
        return plain_outcome(::recv(socket_.get(), into.data(), into.size(), 0),
                             State::wait_readable);
    forget_errors();
    return outcome_of(SSL_read(ssl_.get(), into.data(), size_for_ssl(into.size())));
}

Outcome Stream::write(Bytes octets) {
    if (!ssl_)
        return plain_outcome(::send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL),
                             State::wait_writable);
    forget_errors();
    return outcome_of(SSL_write(ssl_.get(), octets.data(), size_for_ssl(octets.size())));
}

std::uint32_t Stream::unheard() const {
    int octets = 0;
    return ::ioctl(socket_.get(), SIOCOUTQ, &octets) == 0 ? static_cast<std::uint32_t>(octets) : 0;
}

void Stream::close(Close how) {
    if (!socket_) return;
    if (ssl_ && how == Close::politely) {
        SSL_shutdown(ssl_.get());
        forget_errors();
    }
    if (how == Close::reset) {
        const linger at_once{1, 0};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    ssl_.reset();
    socket_.reset();  // with octets unread the kernel sends RST, so nothing is half answered
}

}  // namespace porchlight::forwarder
