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
/// the four before it still open, so no ticket is good for more than five rotations.
class TicketKeys {
  public:
    static constexpr std::size_t keys_max = 5;

    struct Key {
        std::array<std::uint8_t, 16> name;
        std::array<std::uint8_t, 32> cipher;
        std::array<std::uint8_t, 32> mac;
    };

    TicketKeys(Random& random, std::chrono::milliseconds rotation)
        : random_(random), rotation_(rotation) {}
    TicketKeys(const TicketKeys&) = delete;
    ~TicketKeys();

    /// How often the key changes from now on, counted from its last change.
    void set_rotation(std::chrono::milliseconds rotation);
    /// The key to seal with at `now`.
    Key newest(Clock::time_point now);
    struct Found {
        Key key;
        bool is_newest;  // else the client should get a new ticket
    };
    std::optional<Found> find(const std::uint8_t* name, Clock::time_point now);

  private:
    void rotate(Clock::time_point now);
    void forget();

    Random& random_;
    std::mutex mutex_;
    std::deque<Key> keys_;  // newest first
    std::chrono::milliseconds rotation_;
    Clock::time_point rotated_at_{};  // where there is a key
};

}  // namespace porchlight::forwarder
