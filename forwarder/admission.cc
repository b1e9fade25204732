#include "forwarder/admission.h"

#include <algorithm>
#include <utility>

#include "forwarder/memory.h"

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

// Of the places, that are free: what is done without when there are fewer.
constexpr std::uint64_t long_idle_percent = 50;
constexpr std::uint64_t background_percent = 35;
constexpr std::uint64_t scarce_percent = 20;

std::int64_t seconds_of(Clock::time_point now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

std::int64_t nanoseconds_of(Clock::time_point now) {
    return std::chrono::nanoseconds(now.time_since_epoch()).count();
}

/// A prefix may burst as much beyond its rate as a client beyond his.
Rate prefix_rate(std::uint32_t per_second, const Rate& client, std::uint32_t client_second) {
    const std::uint64_t burst =
        std::uint64_t(client.burst) * per_second / std::max(client_second, 1u);
    return Rate::per_second(
        per_second, static_cast<std::uint32_t>(std::clamp<std::uint64_t>(burst, 1, UINT32_MAX)));
}

/// What a client and his prefix may do at most.
struct Rates {
    Rate client;
    Rate prefix;
    Rates(std::uint32_t client_second, std::uint32_t client_burst, std::uint32_t prefix_second)
        : client(Rate::per_second(client_second, client_burst)),
          prefix(prefix_rate(prefix_second, client, client_second)) {}
};

Rates query_rates(const Limits& limits) {
    return {limits.queries_per_client_second, limits.queries_per_client_burst,
            limits.queries_per_prefix_second};
}

Rates full_rates(const Limits& limits) {
    return {limits.full_handshakes_per_client_second, limits.full_handshakes_per_client_burst,
            limits.full_handshakes_per_prefix_second};
}

Rates resumed_rates(const Limits& limits) {
    return {limits.resumed_handshakes_per_client_second, limits.resumed_handshakes_per_client_burst,
            limits.resumed_handshakes_per_prefix_second};
}

/// A host without connections holds no memory for them.
void forget(Tally& tally, const Client& client) {
    std::erase(tally.open, &client);
    if (tally.open.empty()) tally.open.shrink_to_fit();
}

/// Adds one unless there are `max`.
bool add_below(std::atomic<std::uint32_t>& count, std::uint32_t max) {
    if (count.fetch_add(1, std::memory_order_relaxed) < max) return true;
    count.fetch_sub(1, std::memory_order_relaxed);
    return false;
}

/// Handshakes that are not done, with those that failed so lately that they might not be.
std::uint32_t unfinished(std::uint32_t open, const Bucket& failed, std::uint32_t max,
                         const Limits& limits, Clock::time_point now) {
    return open + failed.taken(Rate::each_for(limits.handshake_max, max), now);
}

std::uint64_t packed(const net::MacAddress& mac) {
    std::uint64_t value = 0;
    for (const std::uint8_t octet : mac.octets) value = value << 8 | octet;
    return value;
}

bool is_heavier(const Tally& tally, const Tally& newcomer) {
    return tally.open.size() > newcomer.open.size() + 1;
}

std::uint64_t octets_max(const Limits& limits) {
    return shares_of(limits.memory_bytes_max).connections;
}

/// Of the memory for connections, that one host may hold.
constexpr std::uint64_t host_part = 4;

/// Of none there is nothing free.
std::uint64_t free_percent_of(std::uint64_t all, std::uint64_t taken) {
    return taken >= all ? 0 : (all - taken) * 100 / all;
}

/// Of the places for connections or of their memory, whichever there is less of.
std::uint64_t free_percent(const Limits& limits, std::uint32_t open, std::uint64_t octets) {
    return std::min(free_percent_of(limits.connections_max, open),
                    free_percent_of(octets_max(limits), octets));
}

}  // namespace

std::optional<net::MacAddress> Client::mac() const {
    std::uint64_t value = mac_.load(std::memory_order_relaxed);
    if (value == 0) return std::nullopt;
    net::MacAddress mac;
    for (std::size_t i = mac.octets.size(); i-- > 0; value >>= 8)
        mac.octets[i] = static_cast<std::uint8_t>(value);
    return mac;
}

bool Client::admit_query(const Limits& limits, Clock::time_point now) {
    Tally* const tally = tally_.load(std::memory_order_acquire);
    if (tally == nullptr) return true;
    active_at_.store(nanoseconds_of(now), std::memory_order_relaxed);
    const std::int64_t seconds = seconds_of(now);
    if (is_host() && tally->asked_at.load(std::memory_order_relaxed) != seconds)
        tally->asked_at.store(seconds, std::memory_order_relaxed);
    const Rates rates = query_rates(limits);
    if (!tally->queries.take(rates.client, now)) {
        ++refusals_->queries_client;
        return false;
    }
    Tally* const prefix = prefix_.load(std::memory_order_acquire);
    if (prefix == nullptr || prefix->queries.take(rates.prefix, now)) return true;
    ++refusals_->queries_prefix;
    return false;
}

bool Client::admit_handshake(bool shows_ticket, const Limits& limits, Clock::time_point now) {
    Tally* const tally = tally_.load(std::memory_order_acquire);
    if (tally == nullptr) return true;
    Tally* const prefix = prefix_.load(std::memory_order_acquire);
    shows_ticket_ = shows_ticket;
    refused_handshake_ = true;
    const Rates full = full_rates(limits);
    const Rates resumed = resumed_rates(limits);
    const auto is_overdrawn = [&](const Tally& one, const Rate& rate) {
        return one.full_handshakes.taken(rate, now) > rate.burst;
    };
    const auto take = [&](Tally& one, const Rate& full_rate, const Rate& resumed_rate) {
        if (!shows_ticket) return one.full_handshakes.take(full_rate, now);
        // Whose tickets are not good pays for that before he shows more.
        return !is_overdrawn(one, full_rate) && one.resumed_handshakes.take(resumed_rate, now);
    };
    if (over_share_ && !shows_ticket) {
        ++refusals_->full_handshakes_share;
        return false;
    }
    if (!take(*tally, full.client, resumed.client)) {
        ++(shows_ticket ? refusals_->resumed_handshakes_client : refusals_->full_handshakes_client);
        return false;
    }
    if (prefix != nullptr && !take(*prefix, full.prefix, resumed.prefix)) {
        ++(shows_ticket ? refusals_->resumed_handshakes_prefix : refusals_->full_handshakes_prefix);
        return false;
    }
    refused_handshake_ = false;
    return true;
}

Client* Admission::enter(const Peer& peer, const Limits& limits, Clock::time_point now,
                         Shedder* holder) {
    const std::lock_guard lock(mutex_);
    if (peer.is_own && own_connections_ < own_connections_max) {
        ++own_connections_;
        return add(peer, {nullptr, nullptr, nullptr}, now, nullptr);
    }
    if (is_refused(peer.address, now)) {
        ++refusals_.kept_out;
        return nullptr;
    }
    const Place place = place_of(peer, limits);
    if (Refusals::Count* const limit = limit_met(place, peer, limits, now)) {
        ++*limit;
        return nullptr;
    }
    const bool over_share = is_over_share(place, limits);
    Client* const client = add(peer, place, now, holder);
    client->over_share_ = over_share;
    return client;
}

Admission::Place Admission::place_of(const Peer& peer, const Limits& limits) {
    const std::size_t most = tallies_max(limits.memory_bytes_max);
    const net::MacAddress* const mac = neighbours_.find(peer.link, peer.address);
    if (mac != nullptr) return {tallies_.find_or_make(key_of(peer.link, *mac), most), nullptr, mac};
    Tally* const tally = tallies_.find_or_make(key_of(peer.link, peer.address), most);
    if (!knows_neighbours_) return {tally, nullptr, nullptr};
    return {tally, tallies_.find_or_make(key_of_prefix(peer.link, peer.address), most), nullptr};
}

/// What a new connection would break, after room was made for it where that can be; null: nothing.
Refusals::Count* Admission::limit_met(const Place& place, const Peer& peer, const Limits& limits,
                                      Clock::time_point now) {
    if (place.tally == nullptr) return &refusals_.connections_all;
    const Tally& tally = *place.tally;
    if (now < tally.blocked_until) return &refusals_.blocked;
    if (tally.open.size() >= limits.connections_per_client_max)
        return &refusals_.connections_client;
    if (!has_room_for_address(tally, peer.address)) return &refusals_.addresses_client;
    const auto is_over = [&](std::uint32_t open, const Bucket& failed, std::uint32_t max) {
        return unfinished(open, failed, max, limits, now) >= max;
    };
    if (is_over(tally.unfinished, tally.failed_handshakes, limits.unfinished_per_client_max))
        return &refusals_.unfinished_client;
    if (place.prefix != nullptr &&
        is_over(place.prefix->unfinished, place.prefix->failed_handshakes,
                limits.unfinished_per_prefix_max))
        return &refusals_.unfinished_prefix;
    if (is_over(unfinished_, failed_handshakes_, limits.unfinished_max))
        return &refusals_.unfinished_all;
    if (place.prefix != nullptr && place.prefix->open.size() >= limits.connections_per_prefix_max &&
        !make_room_in(*place.prefix, tally))
        return &refusals_.connections_prefix;
    if (connections() >= limits.connections_max && !make_room(place))
        return &refusals_.connections_all;
    if (octets() + memory_cost::handshake > octets_max(limits) && !make_memory(place))
        return &refusals_.memory;
    return nullptr;
}

bool Admission::make_room_in(const Tally& prefix, const Tally& newcomer) {
    Tally* heaviest = nullptr;
    for (const Client* client : prefix.open) {
        Tally* const tally = client->tally_;
        if (heaviest == nullptr || tally->open.size() > heaviest->open.size()) heaviest = tally;
    }
    return heaviest != nullptr && is_heavier(*heaviest, newcomer) && shed_one_of(*heaviest);
}

/// Of all hosts and prefixes that have something open; null: none.
template <class Weight>
Tally* Admission::heaviest(Weight weight) {
    Tally* found = nullptr;
    for (const Client& client : clients_) {
        Tally* const prefix = client.prefix_;
        Tally* const tally = prefix != nullptr ? prefix : client.tally_.load();
        if (tally == nullptr) continue;
        if (found == nullptr || weight(*tally) > weight(*found)) found = tally;
    }
    return found;
}

bool Admission::make_room(const Place& place) {
    Tally* const found = heaviest([](const Tally& tally) { return tally.open.size(); });
    const Tally& newcomer = place.prefix != nullptr ? *place.prefix : *place.tally;
    return found != nullptr && is_heavier(*found, newcomer) && shed_one_of(*found);
}

/// For one connection more.
bool Admission::make_memory(const Place& place) {
    Tally* const found = heaviest([](const Tally& tally) { return tally.octets; });
    const Tally& newcomer = place.prefix != nullptr ? *place.prefix : *place.tally;
    return found != nullptr && found->octets > newcomer.octets + memory_cost::handshake &&
           shed_largest_of(*found);
}

/// An even part is what each would have if all who are there had alike.
bool Admission::is_over_share(const Place& place, const Limits& limits) const {
    const std::uint64_t slots = limits.connections_max, memory = octets_max(limits);
    const bool few_slots = free_percent_of(slots, connections()) < scarce_percent;
    const bool little_memory = free_percent_of(memory, octets()) < scarce_percent;
    if (!few_slots && !little_memory) return false;
    const Tally& newcomer = place.prefix != nullptr ? *place.prefix : *place.tally;
    double parts = 0;  // each connection is one of its holder, so all of them are the holders
    for (const Client& client : clients_) {
        const Tally* const prefix = client.prefix_;
        const Tally* const tally = prefix != nullptr ? prefix : client.tally_.load();
        if (tally == nullptr || client.was_shed()) continue;
        parts += 1.0 / static_cast<double>(tally->open.size());
    }
    const auto holders = static_cast<std::uint64_t>(parts + 0.5);
    return (few_slots && newcomer.open.size() * holders >= slots) ||
           (little_memory && newcomer.octets * holders >= memory);
}

/// The least recently active one.
bool Admission::shed_one_of(Tally& tally) {
    Client* found = nullptr;
    for (Client* client : tally.open)
        if (client->holder_ != nullptr &&
            (found == nullptr || client->active_at_.load() < found->active_at_.load()))
            found = client;
    return shed(found);
}

bool Admission::shed_largest_of(Tally& tally) {
    Client* found = nullptr;
    for (Client* client : tally.open)
        if (client->holder_ != nullptr && (found == nullptr || client->octets_ > found->octets_))
            found = client;
    return shed(found);
}

bool Admission::shed(Client* client) {
    if (client == nullptr || shedding_ >= shedding_max) return false;
    uncount(*client);
    ++shedding_;
    ++refusals_.shed;
    client->shed_.store(true, std::memory_order_release);
    client->holder_->shed_soon();
    return true;
}

void Admission::hold(Client& client, std::size_t octets, const Limits& limits) {
    const std::size_t most = UINT32_MAX / octets_step * octets_step;
    const auto rounded = static_cast<std::uint32_t>(
        std::min((std::min(octets, most) + octets_step - 1) / octets_step * octets_step, most));
    if (rounded == client.octets_) return;  // nobody else writes it
    const std::lock_guard lock(mutex_);
    if (client.tally_ == nullptr || client.was_shed()) return;
    const std::uint32_t before = std::exchange(client.octets_, rounded);
    count(client, std::uint64_t(rounded) - before);
    if (rounded < before) return;
    Tally& own = *client.tally_.load();
    if (own.octets > octets_max(limits) / host_part) shed_largest_of(own);
    if (this->octets() <= octets_max(limits)) return;
    if (Tally* const found = heaviest([](const Tally& tally) { return tally.octets; }))
        shed_largest_of(*found);
}

/// Its host, its prefix and all hold so many more; what is below zero wraps back.
void Admission::count(const Client& client, std::uint64_t octets) {
    client.tally_.load()->octets += octets;
    if (Tally* const prefix = client.prefix_) prefix->octets += octets;
    octets_.fetch_add(octets, std::memory_order_relaxed);
}

Client* Admission::add(const Peer& peer, const Place& place, Clock::time_point now,
                       Shedder* holder) {
    Client& client = clients_.emplace_back();
    client.self_ = std::prev(clients_.end());
    client.peer_ = peer;
    client.refusals_ = &refusals_;
    client.holder_ = holder;
    client.tally_ = place.tally;
    client.prefix_ = place.prefix;
    if (place.mac != nullptr) client.mac_ = packed(*place.mac);
    client.active_at_ = nanoseconds_of(now);
    if (place.tally == nullptr) return &client;
    for (Tally* tally : {place.tally, place.prefix}) {
        if (tally == nullptr) continue;
        tally->open.push_back(&client);
        ++tally->unfinished;
    }
    ++unfinished_;
    connections_.fetch_add(1, std::memory_order_relaxed);
    client.octets_ = memory_cost::handshake;
    count(client, client.octets_);
    return &client;
}

/// Whether the host may have connections from this address too. Nobody needs as many addresses as
/// a /64 has.
bool Admission::has_room_for_address(const Tally& tally, const IpAddress& address) {
    std::vector<IpAddress> others;
    for (const Client* client : tally.open) {
        if (client->peer_.address == address) return true;
        if (std::ranges::find(others, client->peer_.address) == others.end())
            others.push_back(client->peer_.address);
    }
    return others.size() < addresses_per_client_max;
}

void Admission::established(Client& client, bool resumed, const Limits& limits,
                            Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    Tally* const tally = client.tally_;
    if (tally == nullptr) return;
    finish(client);
    if (resumed || !client.shows_ticket_) return;
    const Rates full = full_rates(limits);
    tally->full_handshakes.overdraw(full.client, now);
    if (Tally* const prefix = client.prefix_) prefix->full_handshakes.overdraw(full.prefix, now);
}

/// Its handshake is none any more.
void Admission::finish(Client& client) {
    if (!std::exchange(client.unfinished_, false)) return;
    --client.tally_.load()->unfinished;
    if (Tally* const prefix = client.prefix_) --prefix->unfinished;
    --unfinished_;
}

void Admission::uncount(Client& client) {
    finish(client);
    count(client, -std::uint64_t(client.octets_));
    forget(*client.tally_, client);
    if (Tally* const prefix = client.prefix_) forget(*prefix, client);
    connections_.fetch_sub(1, std::memory_order_relaxed);
}

void Admission::leave(Client& client, const Limits& limits, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (client.was_shed()) {
        --shedding_;
    } else if (client.tally_ == nullptr) {
        --own_connections_;
    } else {
        if (client.unfinished_ && !client.refused_handshake_) note_failure(client, limits, now);
        uncount(client);
    }
    clients_.erase(client.self_);
}

void Admission::note_failure(Client& client, const Limits& limits, Clock::time_point now) {
    const auto note = [&](Bucket& failed, std::uint32_t max) {
        failed.overdraw(Rate::each_for(limits.handshake_max, max), now);
    };
    note(client.tally_.load()->failed_handshakes, limits.unfinished_per_client_max);
    if (Tally* const prefix = client.prefix_)
        note(prefix->failed_handshakes, limits.unfinished_per_prefix_max);
    note(failed_handshakes_, limits.unfinished_max);
}

std::optional<WaitingPlace> Admission::place_for_question(Client& client, const Limits& limits) {
    WaitingPlace place;
    Tally* const tally = client.tally_.load(std::memory_order_acquire);
    if (tally == nullptr) return place;
    Tally* const prefix = client.prefix_.load(std::memory_order_acquire);
    const auto take = [&](std::size_t which, std::atomic<std::uint32_t>& count, std::uint32_t max,
                          Refusals::Count& refused) {
        if (add_below(count, max)) {
            place.counts_[which] = &count;
            return true;
        }
        ++refused;
        return false;
    };
    if (!take(0, tally->in_flight, limits.in_flight_per_client_max, refusals_.in_flight_client) ||
        (prefix != nullptr && !take(1, prefix->in_flight, limits.in_flight_per_prefix_max,
                                    refusals_.in_flight_prefix)) ||
        !take(2, in_flight_, limits.in_flight_max, refusals_.in_flight_all))
        return std::nullopt;
    return place;
}

void Admission::block(Client& client, Clock::time_point until) {
    const std::lock_guard lock(mutex_);
    if (Tally* const tally = client.tally_) tally->blocked_until = until;
}

void Admission::refuse(const std::vector<RefusedHost>& hosts, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    refused_.clear();
    for (const RefusedHost& host : hosts) refused_.emplace_back(host.address, now + host.left);
}

bool Admission::is_refused(const IpAddress& address, Clock::time_point now) const {
    return std::any_of(refused_.begin(), refused_.end(), [&](const auto& refused) {
        return refused.first == address && now < refused.second;
    });
}

void Admission::let_in_again() {
    const std::lock_guard lock(mutex_);
    refused_.clear();
    for (Tally& tally : tallies_.all()) tally.blocked_until = {};
}

std::vector<Ban> Admission::bans(Clock::time_point now) const {
    std::vector<Ban> bans;
    const std::lock_guard lock(mutex_);
    for (const Tally& tally : tallies_.all())
        if (now < tally.blocked_until)
            bans.push_back({tallies_.pseudonym(tally.key),
                            std::chrono::ceil<std::chrono::seconds>(tally.blocked_until - now)});
    std::ranges::sort(bans, std::greater(), &Ban::left);
    if (bans.size() > bans_told_max) bans.resize(bans_told_max);
    return bans;
}

void Admission::set_neighbours(Neighbours neighbours, const Limits& limits) {
    const std::lock_guard lock(mutex_);
    neighbours_ = std::move(neighbours);
    knows_neighbours_ = true;
    const std::size_t most = tallies_max(limits.memory_bytes_max);
    for (Client& client : clients_) {
        Tally* const tally = client.tally_;
        if (tally == nullptr || client.was_shed() || is_host_known(tally->key)) continue;
        const net::MacAddress* const mac =
            neighbours_.find(client.peer_.link, client.peer_.address);
        if (mac == nullptr) continue;
        Tally* const host = tallies_.find_or_make(key_of(client.peer_.link, *mac), most);
        if (host == nullptr) continue;
        move(client, *host, *mac);
        if (host->open.size() > limits.connections_per_client_max) shed_one_of(*host);
    }
}

/// What `client` did until now stays with the tally it had: a burst at most, of the moment in which
/// its host was not known.
void Admission::move(Client& client, Tally& to, const net::MacAddress& mac) {
    Tally& from = *client.tally_.load();
    forget(from, client);
    to.open.push_back(&client);
    from.octets -= client.octets_;
    to.octets += client.octets_;
    Tally* const prefix = client.prefix_.exchange(nullptr);
    if (prefix != nullptr) {
        forget(*prefix, client);
        prefix->octets -= client.octets_;
    }
    if (client.unfinished_) {
        --from.unfinished;
        if (prefix != nullptr) --prefix->unfinished;
        ++to.unfinished;
    }
    client.tally_.store(&to, std::memory_order_release);
    client.mac_.store(packed(mac), std::memory_order_relaxed);
    // One host of the day, not two.
    to.asked_at = std::max<std::int64_t>(to.asked_at, from.asked_at.exchange(0));
    to.blocked_until = std::max(to.blocked_until, from.blocked_until);
}

std::chrono::milliseconds Admission::idle_max(const Limits& limits) const {
    return idle_under_pressure(limits, connections(), octets());
}

bool Admission::is_pressed(const Limits& limits) const {
    return forwarder::is_pressed(limits, connections(), octets(),
                                 in_flight_.load(std::memory_order_relaxed));
}

std::uint32_t Admission::clients_today(Clock::time_point now) const {
    const std::lock_guard lock(mutex_);
    const std::int64_t since = seconds_of(now - 24h);
    return static_cast<std::uint32_t>(
        std::ranges::count_if(tallies_.all(), [&](const Tally& tally) {
            const std::int64_t asked = tally.asked_at.load(std::memory_order_relaxed);
            return asked != 0 && asked >= since;
        }));
}

std::chrono::milliseconds idle_under_pressure(const Limits& limits, std::uint32_t open,
                                              std::uint64_t octets) {
    const std::uint64_t left = free_percent(limits, open, octets);
    if (left < scarce_percent) return 0ms;
    if (left < background_percent) return limits.idle_max / 20;
    if (left < long_idle_percent) return limits.idle_max / 4;
    return limits.idle_max;
}

bool is_pressed(const Limits& limits, std::uint32_t open, std::uint64_t octets,
                std::uint32_t waiting) {
    return std::min(free_percent(limits, open, octets),
                    free_percent_of(limits.in_flight_max, waiting)) < background_percent;
}

}  // namespace porchlight::forwarder
