#include "forwarder/tallies.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace porchlight::forwarder {
namespace {

enum class Kind : std::uint8_t { mac, ipv4, ipv6, ipv4_prefix, ipv6_prefix };

constexpr std::size_t ipv4_prefix_octets = 3;  // /24
constexpr std::size_t ipv6_prefix_octets = 7;  // /56
/// What tells hosts apart in a report must not be what tells them apart in a table.
constexpr std::uint64_t for_pseudonyms = 1;

Kind kind_of(const TallyKey& key) {
    return static_cast<Kind>(key[0]);
}

TallyKey key_with(Kind kind, const LinkName& link, Bytes octets) {
    TallyKey key{static_cast<std::uint8_t>(kind)};
    auto next = std::ranges::copy(link.octets, key.begin() + 1).out;
    std::ranges::copy(octets, next);
    return key;
}

}  // namespace

TallyKey key_of(const LinkName& link, const net::MacAddress& mac) {
    return key_with(Kind::mac, link, mac.octets);
}

TallyKey key_of(const LinkName& link, const IpAddress& address) {
    const Kind kind = std::holds_alternative<Ipv4>(address) ? Kind::ipv4 : Kind::ipv6;
    return std::visit([&](const auto& one) { return key_with(kind, link, one); }, address);
}

TallyKey key_of_prefix(const LinkName& link, const IpAddress& address) {
    if (const auto* v4 = std::get_if<Ipv4>(&address))
        return key_with(Kind::ipv4_prefix, link, Bytes(v4->octets).first(ipv4_prefix_octets));
    return key_with(Kind::ipv6_prefix, link,
                    Bytes(std::get<Ipv6>(address).octets).first(ipv6_prefix_octets));
}

bool is_host_known(const TallyKey& key) {
    return kind_of(key) == Kind::mac;
}

bool is_prefix(const TallyKey& key) {
    return kind_of(key) == Kind::ipv4_prefix || kind_of(key) == Kind::ipv6_prefix;
}

Tally* Tallies::find_or_make(const TallyKey& key, std::size_t most) {
    if (const auto known = places_.find(key); known != places_.end()) {
        tallies_[known->second].recent = true;
        return &tallies_[known->second];
    }
    const std::optional<std::size_t> place = place_for_one_more(most);
    if (!place) return nullptr;
    Tally& tally = tallies_[*place];
    tally.key = key;
    places_[key] = *place;
    return &tally;
}

/// A new place, or one that may be forgotten, emptied; none if the hand finds none.
std::optional<std::size_t> Tallies::place_for_one_more(std::size_t most) {
    if (tallies_.size() < most) {
        tallies_.emplace_back();
        return tallies_.size() - 1;
    }
    for (std::size_t turns = 0; turns < 2 * tallies_.size(); ++turns) {
        const std::size_t place = hand_++ % tallies_.size();
        Tally& tally = tallies_[place];
        const bool in_use = !tally.open.empty() || tally.in_flight != 0 || tally.body_octets != 0;
        if (in_use || std::exchange(tally.recent, false)) continue;
        places_.erase(tally.key);
        tally.recent = true;
        tally.blocked_until = {};
        for (Bucket* bucket : {&tally.failed_handshakes, &tally.queries, &tally.full_handshakes,
                               &tally.resumed_handshakes})
            bucket->fill();
        tally.asked_at = 0;
        return place;
    }
    return std::nullopt;
}

std::string Tallies::pseudonym(const TallyKey& key) const {
    std::array<char, 9> text{};
    std::snprintf(text.data(), text.size(), "%08x",
                  static_cast<unsigned>(hash_(key, for_pseudonyms) & UINT32_MAX));
    return text.data();
}

}  // namespace porchlight::forwarder
