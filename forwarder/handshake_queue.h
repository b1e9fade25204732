#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/clock.h"

namespace porchlight::forwarder {

/// Whose handshake one worker computes next, and when. What follows a ClientHello (a key exchange
/// and a signature) takes a router 5 to 50 ms, in which it answers nobody: so one is computed at a
/// time, behind everybody who is established, and all of them together by a share of the processor.
/// - A client's handshakes keep their order; clients take turns, one handshake each a round.
/// - What was computed is measured and paid for from a credit that comes back with time, so that a
///   home that is back after a power cut waits only once the credit of a quiet time is spent. One
///   step may overdraw it.
/// - Holds one place a connection whose handshake is not done, so Limits::unfinished_max bounds it.
/// No I/O; time is what callers pass.
class HandshakeQueue {
  public:
    struct Share {
        std::uint32_t percent = 50;             // of one core, for all workers together
        std::chrono::milliseconds burst{2000};  // computed beyond it after a quiet time, likewise
        std::uint32_t workers = 1;              // that divide both evenly
    };
    /// A place in the queue. By itself it is none.
    struct Turn {
        std::uint64_t round = 0;
        std::uint64_t number = 0;
        explicit operator bool() const { return round != 0; }
        auto operator<=>(const Turn&) const = default;
    };

    /// Nothing is forgiven of what was spent.
    void set_share(const Share& share);

    bool empty() const { return waiting_.empty(); }
    std::size_t size() const { return waiting_.size(); }
    /// Whether who comes now is the next and need not wait.
    bool is_free(Clock::time_point now) const { return empty() && credit_at() <= now; }

    /// `client` tells whose turns it takes and nothing else; `connection` is what next() returns.
    Turn wait(const void* client, std::uint32_t connection);
    /// Whoever waits no longer, in his turn or before.
    void leave(const Turn& turn);
    /// The connection whose handshake is to be computed now, which leaves the queue; none: nobody
    /// waits, or the share is spent until credit_at().
    std::optional<std::uint32_t> next(Clock::time_point now);
    /// When there will be credit; long ago while there is.
    Clock::time_point credit_at() const;
    /// What the step cost that next() allowed.
    void spend(std::chrono::nanoseconds computed, Clock::time_point now);

  private:
    struct Waiter {
        const void* client;
        std::uint32_t connection;
    };
    struct Client {
        std::uint64_t last_round = 0;
        std::size_t waiting = 0;
    };

    std::chrono::nanoseconds time_for(std::chrono::nanoseconds computed) const;

    Share share_;
    std::map<Turn, Waiter> waiting_;
    std::unordered_map<const void*, Client> clients_;  // that wait
    std::uint64_t round_ = 0;                          // that is being served
    std::uint64_t last_number_ = 0;
    Clock::time_point full_at_{};  // when all that was spent is back
};

}  // namespace porchlight::forwarder
