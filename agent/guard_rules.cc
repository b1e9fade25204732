#include "agent/guard_rules.h"

#include <charconv>
#include <map>

#include "agent/spawn.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::seconds nft_may_take{5};
constexpr std::string_view counter_words = "packets ";
/// By ARP a host that asks for an address tells its own along. Neither may be another's.
constexpr std::string_view source_rules = R"(        ip saddr @own4 counter name forged drop
        ip6 saddr @own6 counter name forged drop
        ip saddr @leased4 ether saddr . ip saddr != @leased counter name forged drop
        arp saddr ip @own4 counter name forged drop
        arp saddr ip @leased4 arp saddr ether . arp saddr ip != @leased counter name forged drop
        icmpv6 type nd-neighbor-advert jump neighbors
    }
    chain neighbors {
)";

/// Adding before deleting makes the deletion succeed whether the table was there or not.
constexpr std::string_view remove_table =
    "add table bridge porchlight_guard\ndelete table bridge porchlight_guard\n";

constexpr std::string_view hook = R"(
    chain forward {
        type filter hook forward priority -201; policy accept;
        iifname @ports ether saddr != @trusted jump strangers
    }
    chain strangers {
)";

/// A rule that tells a message by what stands behind its extension headers does not match while
/// that can't be read. So the last chain lets go whatever can be read.
constexpr std::string_view chains = R"(        udp dport 68 counter name blocked_dhcpv4 drop
        meta protocol ip6 jump strangers6
        meta protocol { 8021q, 8021ad } @nh,0,16 & 0x0fff == 0 counter name blocked_hidden drop
        meta protocol 0x0004 @nh,0,16 0xaaaa counter name blocked_hidden drop
    }
    chain strangers6 {
        meta protocol ip6 icmpv6 type nd-router-advert counter name blocked_router_advertisement drop
        udp dport 546 counter name blocked_dhcpv6 drop
        meta l4proto { 135, 139, 140, 253, 254 } counter name blocked_hidden drop
        meta protocol ip6 exthdr frag exists frag frag-off 0 jump first_fragments
    }
    chain first_fragments {
        meta protocol ip6 icmpv6 type 0-255 return
        udp dport 0-65535 return
        meta l4proto != { 17, 58 } return
        counter name blocked_hidden drop
    }
}
)";

template <class Item, class Text>
std::string listed(const std::vector<Item>& items, Text text) {
    std::string list;
    for (const Item& item : items) list += (list.empty() ? "" : ", ") + text(item);
    return list;
}

std::string names_of(const std::vector<BridgePort>& ports) {
    return listed(ports, [](const BridgePort& port) { return '"' + port.name + '"'; });
}

/// Also the tag that a bridge itself has given an untagged frame is seen where tags stand.
std::string without_other_vlans(const std::vector<BridgePort>& ports) {
    std::map<std::uint16_t, std::vector<BridgePort>> by_vlan;
    for (const BridgePort& port : ports) by_vlan[port.vlan].push_back(port);
    std::string text;
    for (const auto& [vlan, those] : by_vlan) {
        const std::string own = vlan == 0 ? "0" : "{ 0, " + std::to_string(vlan) + " }";
        text += "        iifname { " + names_of(those) +
                " } @ll,96,16 { 0x8100, 0x88a8 } @ll,112,16 & 0x0fff != " + own + " return\n";
    }
    return text;
}

std::string set_of(std::string_view name, std::string_view type, const std::string& elements) {
    return "    set " + std::string(name) + " { type " + std::string(type) + "; " +
           (elements.empty() ? "" : "elements = { " + elements + " }; ") + "}\n";
}

std::string blocked_name(ServerKind kind) {
    return "blocked_" + std::string(word_of(kind));
}

std::string counter_of(std::string_view name, std::uint64_t packets) {
    return "    counter " + std::string(name) + " { packets " + std::to_string(packets) +
           " bytes 0 }\n";
}

std::string sets_of(const Sources& sources) {
    std::vector<Ipv4> own4;
    std::vector<Ipv6> own6;
    for (const IpAddress& address : sources.own) {
        if (const auto* v4 = std::get_if<Ipv4>(&address)) own4.push_back(*v4);
        if (const auto* v6 = std::get_if<Ipv6>(&address)) own6.push_back(*v6);
    }
    const auto pair = [](const Lease& one) {
        return net::to_text(one.mac) + " . " + to_text(one.address);
    };
    const auto text = [](const auto& address) { return to_text(address); };
    return set_of("home", "ifname", names_of(sources.ports)) +
           set_of("own4", "ipv4_addr", listed(own4, text)) +
           set_of("own6", "ipv6_addr", listed(own6, text)) +
           set_of("leased", "ether_addr . ipv4_addr", listed(sources.leased, pair)) +
           set_of("leased4", "ipv4_addr",
                  listed(sources.leased, [](const Lease& one) { return to_text(one.address); }));
}

/// Behind the fixed part of a Neighbor Advertisement stands whose address it tells (RFC 4861
/// section 4.4).
std::string advertised(const Ipv6& own) {
    std::string octets;
    for (const std::uint8_t octet : own.octets) {
        constexpr std::string_view digits = "0123456789abcdef";
        octets += {digits[octet >> 4], digits[octet & 15]};
    }
    return "        @th,64,128 0x" + octets + " counter name forged drop\n";
}

std::string chains_of(const Sources& sources) {
    std::string text = R"(
    chain prerouting {
        type filter hook prerouting priority -201; policy accept;
        iifname @home ether saddr != @trusted jump sources
    }
    chain sources {
)";
    text += without_other_vlans(sources.ports);
    text += source_rules;
    for (const IpAddress& address : sources.own)
        if (const auto* v6 = std::get_if<Ipv6>(&address)) text += advertised(*v6);
    return text + "    }\n";
}

std::optional<std::uint64_t> counted_in(std::string_view listed, std::string_view name) {
    const std::string heading = "counter " + std::string(name) + " {";
    const std::size_t begins = listed.find(heading);
    if (begins == listed.npos) return std::nullopt;
    const std::size_t at = listed.find(counter_words, begins);
    if (at == listed.npos) return std::nullopt;
    std::uint64_t count = 0;
    const char* const begin = listed.data() + at + counter_words.size();
    const auto [end, ec] = std::from_chars(begin, listed.data() + listed.size(), count);
    return ec == std::errc() ? std::optional(count) : std::nullopt;
}

}  // namespace

std::string guard_rules(const Blockade& blockade, const GuardDropped& dropped) {
    const std::string trusted =
        listed(blockade.trusted, [](const net::MacAddress& mac) { return net::to_text(mac); });
    std::string text(remove_table);
    text += "table bridge porchlight_guard {\n";
    text += set_of("ports", "ifname", names_of(blockade.ports)) +
            set_of("trusted", "ether_addr", trusted);
    for (const ServerKind kind : server_kinds)
        text += counter_of(blocked_name(kind), dropped.blocked[kind]);
    text += counter_of("forged", dropped.forged);
    if (blockade.sources) text += sets_of(*blockade.sources) + chains_of(*blockade.sources);
    text += hook;
    return text.append(without_other_vlans(blockade.ports)).append(chains);
}

std::optional<GuardDropped> dropped_in(std::string_view listed) {
    GuardDropped dropped;
    for (const ServerKind kind : server_kinds) {
        const auto blocked = counted_in(listed, blocked_name(kind));
        if (!blocked) return std::nullopt;
        dropped.blocked[kind] = *blocked;
    }
    const auto forged = counted_in(listed, "forged");
    if (!forged) return std::nullopt;
    dropped.forged = *forged;
    return dropped;
}

Result<std::string> GuardRules::run_nft(const std::vector<std::string>& arguments, Bytes input) {
    std::vector<std::string> whole{"nft"};
    whole.insert(whole.end(), arguments.begin(), arguments.end());
    return read_program(whole, input, nft_may_take);
}

Result<std::string> GuardRules::list() const {
    return nft_({"list", "table", "bridge", "porchlight_guard"}, {});
}

Result<void> GuardRules::load(const Blockade& blockade) {
    if (loaded_) (void)look();
    const std::string rules = guard_rules(blockade, dropped_);
    may_stand_ = true;
    const auto done = nft_({"-f", "-"}, bytes_of(rules));
    if (!done) return done.error();
    loaded_ = blockade;
    return {};
}

Result<void> GuardRules::unload() {
    // Where ours can't stand, nft that says no, or is not there at all, has none to take away.
    const auto listed = may_stand_ ? Result<std::string>(std::string()) : list();
    const auto none = [](Errc code) { return code == Errc::refused || code == Errc::unavailable; };
    if (!listed && none(listed.error().code)) return {};
    const auto gone = listed ? nft_({"-f", "-"}, bytes_of(remove_table)) : listed;
    may_stand_ = !gone;
    if (!gone) return gone.error();
    loaded_.reset();
    return {};
}

bool GuardRules::look() {
    const auto listed = list();
    if (listed) dropped_ = dropped_in(*listed).value_or(dropped_);
    if (listed || listed.error().code != Errc::refused) return true;
    loaded_.reset();
    return false;
}

}  // namespace porchlight::agent
