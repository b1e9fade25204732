#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/result.h"
#include "net/asio.h"
#include "net/connect.h"
#include "net/server_identity.h"

namespace porchlight::net {

/// How this side authenticates servers, shared by any number of connections: trust anchors, ALPN,
/// tickets. Lives longer than its streams. Not thread-safe: one a thread.
class TlsClient {
  public:
    struct Settings {
        Bytes roots_pem;                // trust anchors, PEM, borrowed during create() only
        std::vector<std::string> alpn;  // offered in this order; empty: none
        /// Where the date in certificates is judged; `dates_count` false leaves the validity dates
        /// out of the check, for a router that doesn't know the time yet.
        const TimeSource* time = nullptr;
        bool dates_count = true;
        /// Whether one of `roots_pem` may itself be the server's certificate or an intermediate
        /// one: for a server that is known by its very certificate, as our own listener is.
        bool partial_chain = false;
        /// Whether the end of TCP alone counts as a clean end. Only for protocols whose messages
        /// carry their length, where nothing can be cut off unseen; there a server that says no
        /// goodbye costs nothing, while OpenSSL else forgets its newest ticket.
        bool may_end_unsaid = false;
        /// Whether the handshake with a server that can't be authenticated is brought to its end
        /// all the same, and `Facts::why_unproved` says so: for who only looks what a server shows.
        /// To the server a handshake that breaks off is that of a client who does harm.
        bool finishes_unproved = false;
        Source source = Source::kernels_choice;
    };
    /// Fails with `malformed` if no trust anchor can be read. Makes the process ignore SIGPIPE.
    static Result<std::unique_ptr<TlsClient>> create(const Settings& settings);
    virtual ~TlsClient() = default;
};

/// One TLS connection (1.2 or 1.3) to a server authenticated by PKIX. Works on the non-blocking
/// socket itself.
/// Closes when destroyed. Every wait has a limit; `timeout` says it ran out, and that the stream is
/// closed. One read and one write may be under way at once; they end before the stream does.
class TlsStream {
  public:
    /// Connects to `to` and demands a chain and a certificate for `identity`. Fails with
    /// `unavailable` or `timeout` where the network failed, `refused` where the server could not be
    /// authenticated: the two must never be confused.
    static awaitable<Result<std::unique_ptr<TlsStream>>> connect(TlsClient& client, Endpoint to,
                                                                 ServerIdentity identity,
                                                                 std::chrono::milliseconds within);
    virtual ~TlsStream() = default;

    /// Reads what is there, at least one octet; 0 when the server closed cleanly.
    virtual awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> into,
                                                     std::chrono::milliseconds within) = 0;
    /// Writes all of `octets`, which must live until then.
    virtual awaitable<Result<void>> write(Bytes octets, std::chrono::milliseconds within) = 0;
    /// Ends both directions at once; operations under way fail.
    virtual void close() = 0;

    struct Facts {
        bool resumed = false;
        std::string version;       // "TLSv1.3"
        std::string alpn;          // as agreed; empty: none
        Buffer peer_certificate;   // DER of the leaf
        std::string why_unproved;  // of Settings::finishes_unproved alone; empty: it is who it says
    };
    virtual const Facts& facts() const = 0;
};

}  // namespace porchlight::net
