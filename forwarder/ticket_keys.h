#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <mutex>
#include <optional>

#include "core/clock.h"
#include "core/random.h"

namespace porchlight::forwarder {

/// The keys that session tickets are sealed with: random, in memory only, shared by all workers,
/// and as long-lived as the certificate's private key (RFC 9325 section 3.4). The newest seals;
/// the four before it still open, so a ticket is good for two days at most.
class TicketKeys {
  public:
    static constexpr std::chrono::hours rotation{12};
    static constexpr std::size_t keys_max = 5;

    struct Key {
        std::array<std::uint8_t, 16> name;
        std::array<std::uint8_t, 32> cipher;
        std::array<std::uint8_t, 32> mac;
    };

    explicit TicketKeys(Random& random) : random_(random) {}
    TicketKeys(const TicketKeys&) = delete;
    ~TicketKeys();

    /// The key to seal with at `now`.
    Key newest(Clock::time_point now);
    struct Found {
        Key key;
        bool is_newest;  // else the client should get a new ticket
    };
    std::optional<Found> find(const std::uint8_t* name, Clock::time_point now);

  private:
    void rotate(Clock::time_point now);

    Random& random_;
    std::mutex mutex_;
    std::deque<Key> keys_;  // newest first
    Clock::time_point rotate_at_ = Clock::time_point::min();
};

}  // namespace porchlight::forwarder
