#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/bytes.h"
#include "core/file_descriptor.h"
#include "forwarder/client_hello.h"
#include "forwarder/tls_identity.h"

namespace porchlight::forwarder {

/// A client's connection as octets in order: TLS straight on its socket, or the socket alone. Never
/// waits; says what to wait for.
class Stream {
  public:
    enum class State {
        done,
        wait_readable,
        wait_writable,
        hello,   // of a handshake: the client said what it wants, and nothing was spent on it yet
        ended,   // the peer closed cleanly
        failed,  // or not
    };
    struct Outcome {
        State state;
        std::size_t count = 0;  // of octets, when done
    };
    /// How a connection ends.
    enum class Close {
        politely,  // close_notify, then FIN
        plainly,   // what was written still arrives
        reset,     // nothing does any more: a peer that reads nothing leaves no queue behind
    };

    /// Plain.
    explicit Stream(FileDescriptor socket) : socket_(std::move(socket)) {}
    Stream(FileDescriptor socket, SslHandle ssl)
        : socket_(std::move(socket)), ssl_(std::move(ssl)) {}

    bool is_encrypted() const { return ssl_ != nullptr; }
    int descriptor() const { return socket_.get(); }

    /// Drives the handshake; done at once for a plain one. Says `hello` once, before anything that
    /// costs.
    Outcome handshake();
    /// After `hello`: whether the client showed a ticket, good or not.
    bool shows_ticket() const { return hello_of(ssl_.get()) == Hello::with_ticket; }
    /// After `hello`: whether a key exchange, and perhaps a signature, is still to be computed.
    /// Also where the client chose again (RFC 8446 section 4.1.4), or as TLS 1.2 has it chooses
    /// last.
    bool costs_more() const;
    bool was_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
    /// What ALPN agreed on; empty: nothing.
    std::string_view protocol() const;
    /// The name that the client asked for, once the handshake is done (RFC 6066 section 3); where a
    /// session of TLS 1.2 is resumed, the one that it began with. Empty: none.
    std::string_view server_name() const;
    /// At least one octet when done. May have to write first (TLS's own messages).
    Outcome read(std::span<std::uint8_t> into);
    /// Whether octets wait inside, of which the socket will give no sign.
    bool has_pending() const { return ssl_ && SSL_has_pending(ssl_.get()) == 1; }
    /// Perhaps not all of `octets`, which is not empty. After `wait_…` call again with at least the
    /// same octets in front.
    Outcome write(Bytes octets);
    /// Octets written that the peer's kernel has not acknowledged.
    std::uint32_t unheard() const;
    /// Waits for nothing.
    void close(Close how);

  private:
    Outcome outcome_of(int returned);

    FileDescriptor socket_;
    SslHandle ssl_;
};

}  // namespace porchlight::forwarder
