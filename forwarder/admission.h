#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/random.h"
#include "forwarder/do53_rate.h"
#include "forwarder/link_name.h"
#include "forwarder/neighbours.h"
#include "forwarder/refusals.h"
#include "forwarder/serving.h"
#include "forwarder/settings.h"
#include "forwarder/tallies.h"

namespace porchlight::forwarder {

/// Where a connection comes from.
struct Peer {
    IpAddress address;
    LinkName link{};
    bool is_own = false;  // an address of this machine
};

/// Whoever holds connections, and closes those of clients that were shed.
class Shedder {
  public:
    /// By any thread, under Admission's lock: to be done later.
    virtual void shed_soon() = 0;

  protected:
    ~Shedder() = default;
};

/// One question's place among those that wait for their answers; given back when it goes.
class WaitingPlace {
  public:
    WaitingPlace() = default;
    WaitingPlace(WaitingPlace&& other) noexcept : counts_(std::exchange(other.counts_, {})) {}
    WaitingPlace& operator=(WaitingPlace&&) = delete;
    ~WaitingPlace() {
        for (std::atomic<std::uint32_t>* count : counts_)
            if (count != nullptr) count->fetch_sub(1, std::memory_order_relaxed);
    }

  private:
    friend class Admission;
    std::array<std::atomic<std::uint32_t>*, 3> counts_{};  // the client's, its prefix's, all
};

/// Who is at the other end of one connection. What he does is counted for his host and, where he is
/// no neighbour, for his prefix.
class Client {
  public:
    /// Whether one query more is within the rates. Any thread.
    bool admit_query(const Limits& limits, Clock::time_point now);
    /// Whether one handshake more is, as far as a ClientHello tells what it will cost: one that
    /// shows a ticket may be resumed. Any thread.
    bool admit_handshake(bool shows_ticket, const Limits& limits, Clock::time_point now);
    /// Not the router itself, whose probes must not look as if the home used the service.
    bool is_host() const { return !peer_.is_own; }
    Serving::Host host() const { return host_of(peer_.address); }
    /// Tells one client from another where work waits: his host or, where he is no neighbour, his
    /// prefix, so that nobody is many by addresses. Null: the router itself, which never waits.
    const void* turns() const {
        const Tally* const prefix = prefix_.load(std::memory_order_acquire);
        return prefix != nullptr ? prefix : tally_.load(std::memory_order_acquire);
    }
    /// Where the bodies of unfinished requests of his host are counted, for as long as any are;
    /// null: the router's own.
    std::atomic<std::uint32_t>* bodies() const {
        Tally* const tally = tally_.load(std::memory_order_acquire);
        return tally != nullptr ? &tally->body_octets : nullptr;
    }
    /// That its handshake did not come to its end is no failure of the client's.
    void excuse_handshake() { refused_handshake_ = true; }
    const IpAddress& address() const { return peer_.address; }
    /// Of a neighbour, as soon as he is known for one. Any thread.
    std::optional<net::MacAddress> mac() const;
    /// It has no place any more: who holds the connection closes it.
    bool was_shed() const { return shed_.load(std::memory_order_acquire); }

  private:
    friend class Admission;

    Peer peer_;
    Refusals* refusals_ = nullptr;
    Shedder* holder_ = nullptr;            // null: can't be shed
    std::atomic<Tally*> tally_{nullptr};   // null: in a slot of the router's own, never shed
    std::atomic<Tally*> prefix_{nullptr};  // null: a neighbour
    std::atomic<std::uint64_t> mac_{0};    // its octets, the first uppermost; 0: not known
    std::atomic<bool> shed_{false};
    std::atomic<std::int64_t> active_at_{0};  // nanoseconds of Clock: let in, or the last query
    bool unfinished_ = true;                  // its handshake
    bool shows_ticket_ = false;
    bool refused_handshake_ = false;
    std::uint32_t octets_ = 0;  // that the connection holds, written by who holds it
    bool over_share_ = false;   // places are scarce, and its host or prefix has many of them
    std::list<Client>::iterator self_;
};

/// Who may connect and how much they may ask, for all workers together.
/// - A client is a host: its MAC address on its link, as the agent tells of neighbours; whoever is
///   none, or is not known yet, its address on its link. So a host gains nothing by the many
///   addresses that a /64 offers, and loses nothing by what others do in it.
/// - Whoever is no neighbour came through another router: he counts for his prefix too, which for
///   neighbours would be the whole home. Before the agent told of any, nobody does.
/// - A connection that came before its host was known counts for that host from then on, and what
///   the host has too many is closed. What is open stays with the host that it was counted for,
///   though the address has become another's.
/// - When places are scarce, a host or prefix that has more than an even part of them gets no more
///   by full handshakes, the dear ones; by tickets it may.
/// - When all places are taken, the least recently active connection of the heaviest host or prefix
///   is closed for a newcomer that is lighter; nobody is refused but for want of a heavier one.
/// - When connections hold more memory than they may, what holds most of the heaviest is closed; so
///   is what holds most of a host that holds more than a quarter of it.
/// - The router's own connections, by which the agent probes the service, have slots of their own
///   and are never shed: overload must not look like a service out of order.
class Admission {
  public:
    static constexpr std::uint32_t own_connections_max = 8;
    static constexpr std::size_t addresses_per_client_max = 16;  // with connections at one time
    static constexpr std::uint32_t shedding_max = 64;            // shed, and not closed yet
    static constexpr std::size_t bans_told_max = 64;
    /// What a connection holds is counted by so many octets.
    static constexpr std::uint32_t octets_step = 1024;

    explicit Admission(Random& random) : tallies_(random) {}

    /// Counts a connection that begins with a handshake, and returns its client, valid until
    /// leave(); null: over a limit. `holder` has the connection for as long.
    Client* enter(const Peer& peer, const Limits& limits, Clock::time_point now,
                  Shedder* holder = nullptr);
    /// Its handshake came to its end.
    void established(Client& client, bool resumed, const Limits& limits, Clock::time_point now);
    /// One that leaves before that failed, unless the limit of handshakes was the reason: its place
    /// among the unfinished is free when it would have been closed for silence.
    void leave(Client& client, const Limits& limits, Clock::time_point now);
    /// What the connection holds now, all in all. Its holder's thread only.
    void hold(Client& client, std::size_t octets, const Limits& limits);
    /// A place for a question that has to be looked up, none: over a limit. Any thread.
    std::optional<WaitingPlace> place_for_question(Client& client, const Limits& limits);

    /// No new connection of this client until then.
    void block(Client& client, Clock::time_point until);
    /// None of these hosts from `now` on, in place of those before; what is open stays.
    void refuse(const std::vector<RefusedHost>& hosts, Clock::time_point now);
    /// All of them, and those that are blocked, may come in again.
    void let_in_again();
    /// Who is blocked at `now`, those for longest first; bans_told_max at most.
    std::vector<Ban> bans(Clock::time_point now) const;
    /// In place of those before.
    void set_neighbours(Neighbours neighbours, const Limits& limits);

    /// Of those who ask in plain, who are no clients.
    Do53Rate& do53() { return do53_; }

    const Refusals& refusals() const { return refusals_; }
    std::uint32_t connections() const { return connections_.load(std::memory_order_relaxed); }
    /// What connections hold together.
    std::uint64_t octets() const { return octets_.load(std::memory_order_relaxed); }
    /// How long an idle connection may stay now: less as free slots run out.
    std::chrono::milliseconds idle_max(const Limits& limits) const;
    /// Whether there is no place for what no host waits for. Any thread; locks nothing.
    bool is_pressed(const Limits& limits) const;
    /// Hosts that asked within the 24 hours before `now`, as far as they are remembered.
    std::uint32_t clients_today(Clock::time_point now) const;

  private:
    struct Place {
        Tally* tally;
        Tally* prefix;               // null: none
        const net::MacAddress* mac;  // null: none that is known
    };
    Place place_of(const Peer& peer, const Limits& limits);
    Refusals::Count* limit_met(const Place& place, const Peer& peer, const Limits& limits,
                               Clock::time_point now);
    static bool has_room_for_address(const Tally& tally, const IpAddress& address);
    bool is_refused(const IpAddress& address, Clock::time_point now) const;
    bool make_room_in(const Tally& prefix, const Tally& newcomer);
    bool make_room(const Place& place);
    bool make_memory(const Place& place);
    template <class Weight>
    Tally* heaviest(Weight weight);
    bool is_over_share(const Place& place, const Limits& limits) const;
    bool shed_one_of(Tally& tally);
    bool shed_largest_of(Tally& tally);
    bool shed(Client* client);
    void count(const Client& client, std::uint64_t octets);
    Client* add(const Peer& peer, const Place& place, Clock::time_point now, Shedder* holder);
    void finish(Client& client);
    void uncount(Client& client);
    void note_failure(Client& client, const Limits& limits, Clock::time_point now);
    void move(Client& client, Tally& to, const net::MacAddress& mac);

    mutable std::mutex mutex_;  // over everything below; for connections, never for queries
    Tallies tallies_;
    Neighbours neighbours_;
    bool knows_neighbours_ = false;
    std::list<Client> clients_;  // one a connection
    std::uint32_t own_connections_ = 0;
    std::uint32_t unfinished_ = 0;
    std::uint32_t shedding_ = 0;
    Bucket failed_handshakes_;
    std::vector<std::pair<IpAddress, Clock::time_point>> refused_;  // until then
    std::atomic<std::uint32_t> connections_{0};                     // any thread
    std::atomic<std::uint64_t> octets_{0};                          // any thread
    std::atomic<std::uint32_t> in_flight_{0};                       // any thread
    Refusals refusals_;                                             // any thread
    Do53Rate do53_{refusals_};                                      // any thread
};

/// The share of `limits.idle_max` that an idle connection may stay while `open` connections exist
/// and hold so many octets: all, a quarter, a twentieth, nothing, as less than 50, 35, 20 percent
/// of the slots, or of the memory, are free.
std::chrono::milliseconds idle_under_pressure(const Limits& limits, std::uint32_t open,
                                              std::uint64_t octets);

/// Whether less than 35 percent of those are free, or of the places for questions, of which
/// `waiting` are taken: then idle connections go soon, and what is done in the background waits.
bool is_pressed(const Limits& limits, std::uint32_t open, std::uint64_t octets,
                std::uint32_t waiting);

}  // namespace porchlight::forwarder
