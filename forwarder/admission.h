#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/random.h"
#include "forwarder/keyed_hash.h"
#include "forwarder/serving.h"
#include "forwarder/settings.h"

namespace porchlight::forwarder {

/// What is remembered of one source address. Its connections, on whatever worker, share it.
class Client {
  public:
    /// Whether one query more is within the client's rate (a token bucket, kept as the one time at
    /// which it would be full again). Any thread.
    bool admit_query(const Limits& limits, Clock::time_point now);
    /// Not the router itself, whose probes must not look as if the home used the service.
    bool is_host() const { return host_; }
    Serving::Host host() const { return host_of(address_); }

  private:
    friend class Admission;

    IpAddress address_;
    bool own_ = false;  // in the slots of the router's own, never shed
    bool host_ = true;
    bool recent_ = true;  // not to be forgotten by the next turn of the clock
    std::uint32_t connections_ = 0;
    Clock::time_point blocked_until_{};
    std::atomic<std::int64_t> full_at_{0};   // nanoseconds of Clock
    std::atomic<std::int64_t> asked_at_{0};  // seconds of Clock, 0: never
};

/// Who may connect and how much they may ask, for all workers together. The router's own
/// connections, by which the agent probes the service, have slots of their own and are never shed:
/// overload must not look like a service out of order.
class Admission {
  public:
    static constexpr std::size_t clients_max = 16384;  // remembered; then the clock forgets
    static constexpr std::uint32_t own_connections_max = 8;

    explicit Admission(Random& random);

    /// Counts a connection and returns its client, valid until leave(); null: over a limit.
    /// `is_own`: it comes from an address of this machine.
    Client* enter(const IpAddress& address, bool is_own, const Limits& limits,
                  Clock::time_point now);
    void leave(Client& client);
    /// No new connection of this client until then.
    void block(Client& client, Clock::time_point until);
    /// None of these hosts from `now` on, in place of those before; what is open stays.
    void refuse(const std::vector<RefusedHost>& hosts, Clock::time_point now);

    std::uint32_t connections() const { return connections_.load(std::memory_order_relaxed); }
    /// How long an idle connection may stay now: less as free slots run out.
    std::chrono::milliseconds idle_max(const Limits& limits) const;
    /// Addresses of hosts that asked within the 24 hours before `now`, as far as they are
    /// remembered.
    std::uint32_t clients_today(Clock::time_point now) const;

  private:
    bool is_refused(const IpAddress& address, Clock::time_point now) const;
    Client* remember(const IpAddress& address);
    std::size_t place_for_one_more();

    struct Hash {
        const KeyedHash* keyed;
        std::size_t operator()(const IpAddress& address) const {
            const auto of = [&](const auto& one) { return (*keyed)(one.octets, address.index()); };
            return static_cast<std::size_t>(std::visit(of, address));
        }
    };

    KeyedHash hash_;
    mutable std::mutex mutex_;  // over everything below; for connections, never for queries
    std::deque<Client> clients_;
    std::unordered_map<IpAddress, std::size_t, Hash> places_{0, Hash{&hash_}};
    std::size_t hand_ = 0;
    Client own_;
    std::vector<std::pair<IpAddress, Clock::time_point>> refused_;  // until then
    std::atomic<std::uint32_t> connections_{0};
};

/// The share of `limits.idle_max` that an idle connection may stay while `open` connections exist:
/// all, a quarter, a twentieth, nothing, as less than 50, 35, 20 percent of the slots are free.
std::chrono::milliseconds idle_under_pressure(const Limits& limits, std::uint32_t open);

}  // namespace porchlight::forwarder
