#include "forwarder/admission.h"

#include <algorithm>

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

std::int64_t nanoseconds_of(Clock::time_point now) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
}

std::int64_t seconds_of(Clock::time_point now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

bool Client::admit_query(const Limits& limits, Clock::time_point now) {
    const std::int64_t seconds = seconds_of(now);
    if (host_ && asked_at_.load(std::memory_order_relaxed) != seconds)
        asked_at_.store(seconds, std::memory_order_relaxed);
    if (own_) return true;
    const std::int64_t at = nanoseconds_of(now);
    const std::int64_t interval = 1'000'000'000 / std::max(limits.queries_per_client_second, 1u);
    const std::int64_t tolerance = interval * limits.queries_per_client_burst;
    std::int64_t full_at = full_at_.load(std::memory_order_relaxed);
    for (;;) {
        const std::int64_t next = std::max(full_at, at) + interval;
        if (next - at > tolerance) return false;
        if (full_at_.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) return true;
    }
}

Admission::Admission(Random& random) : hash_(random) {
    own_.own_ = true;
    own_.host_ = false;
}

Client* Admission::enter(const IpAddress& address, bool is_own, const Limits& limits,
                         Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (is_own && own_.connections_ < own_connections_max) {
        ++own_.connections_;
        return &own_;
    }
    if (connections() >= limits.connections_max || is_refused(address, now)) return nullptr;
    Client* client = remember(address);
    if (client == nullptr || client->connections_ >= limits.connections_per_client_max ||
        now < client->blocked_until_)
        return nullptr;
    if (client->connections_++ == 0) client->host_ = !is_own;
    connections_.fetch_add(1, std::memory_order_relaxed);
    return client;
}

void Admission::leave(Client& client) {
    const std::lock_guard lock(mutex_);
    --client.connections_;
    if (!client.own_) connections_.fetch_sub(1, std::memory_order_relaxed);
}

void Admission::block(Client& client, Clock::time_point until) {
    if (client.own_) return;
    const std::lock_guard lock(mutex_);
    client.blocked_until_ = until;
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

Client* Admission::remember(const IpAddress& address) {
    if (const auto known = places_.find(address); known != places_.end()) {
        clients_[known->second].recent_ = true;
        return &clients_[known->second];
    }
    const std::size_t place = place_for_one_more();
    if (place == clients_max) return nullptr;
    Client& client = clients_[place];
    client.address_ = address;
    places_[address] = place;
    return &client;
}

/// A new place, or that of a client without connections that was not seen since the clock's hand
/// came by last; clients_max if the hand finds none.
std::size_t Admission::place_for_one_more() {
    if (clients_.size() < clients_max) {
        clients_.emplace_back();
        return clients_.size() - 1;
    }
    for (std::size_t turns = 0; turns < 2 * clients_max; ++turns) {
        const std::size_t place = hand_++ % clients_max;
        Client& client = clients_[place];
        if (client.connections_ != 0 || std::exchange(client.recent_, false)) continue;
        places_.erase(client.address_);
        client.recent_ = true;
        client.blocked_until_ = {};
        client.full_at_ = 0;
        client.asked_at_ = 0;
        return place;
    }
    return clients_max;
}

std::chrono::milliseconds Admission::idle_max(const Limits& limits) const {
    return idle_under_pressure(limits, connections());
}

std::uint32_t Admission::clients_today(Clock::time_point now) const {
    const std::lock_guard lock(mutex_);
    const std::int64_t since = seconds_of(now - 24h);
    return static_cast<std::uint32_t>(
        std::count_if(clients_.begin(), clients_.end(), [&](const Client& client) {
            const std::int64_t asked = client.asked_at_.load(std::memory_order_relaxed);
            return asked != 0 && asked >= since;
        }));
}

std::chrono::milliseconds idle_under_pressure(const Limits& limits, std::uint32_t open) {
    const std::uint64_t slots = limits.connections_max;
    const std::uint64_t free_percent = open >= slots ? 0 : (slots - open) * 100 / slots;
    if (free_percent < 20) return 0ms;
    if (free_percent < 35) return limits.idle_max / 20;
    if (free_percent < 50) return limits.idle_max / 4;
    return limits.idle_max;
}

}  // namespace porchlight::forwarder
