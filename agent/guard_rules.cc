#include "agent/guard_rules.h"

#include <charconv>
#include <map>

#include "agent/spawn.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::seconds nft_may_take{5};
constexpr std::string_view counter_heading = "counter blocked {";
constexpr std::string_view counter_words = "packets ";

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
constexpr std::string_view chains = R"(        udp dport 68 counter name blocked drop
        meta protocol ip6 jump strangers6
        meta protocol { 8021q, 8021ad } @nh,0,16 & 0x0fff == 0 counter name blocked drop
        meta protocol 0x0004 @nh,0,16 0xaaaa counter name blocked drop
    }
    chain strangers6 {
        meta protocol ip6 icmpv6 type nd-router-advert counter name blocked drop
        udp dport 546 counter name blocked drop
        meta l4proto { 135, 139, 140, 253, 254 } counter name blocked drop
        meta protocol ip6 exthdr frag exists frag frag-off 0 jump first_fragments
    }
    chain first_fragments {
        meta protocol ip6 icmpv6 type 0-255 return
        udp dport 0-65535 return
        meta l4proto != { 17, 58 } return
        counter name blocked drop
    }
}
)";

std::string names_of(const std::vector<std::string>& ports) {
    std::string list;
    for (const std::string& port : ports) list += (list.empty() ? "\"" : ", \"") + port + '"';
    return list;
}

/// Also the tag that a bridge itself has given an untagged frame is seen where tags stand.
std::string other_vlans(std::uint16_t vlan, const std::vector<std::string>& ports) {
    const std::string own = vlan == 0 ? "0" : "{ 0, " + std::to_string(vlan) + " }";
    return "        iifname { " + names_of(ports) +
           " } @ll,96,16 { 0x8100, 0x88a8 } @ll,112,16 & 0x0fff != " + own + " return\n";
}

std::string set_of(std::string_view name, std::string_view type, const std::string& elements) {
    return "    set " + std::string(name) + " { type " + std::string(type) + "; " +
           (elements.empty() ? "" : "elements = { " + elements + " }; ") + "}\n";
}

}  // namespace

std::string guard_rules(const Blockade& blockade, std::uint64_t blocked) {
    std::vector<std::string> ports;
    std::map<std::uint16_t, std::vector<std::string>> by_vlan;
    for (const Blockade::Port& port : blockade.ports) {
        ports.push_back(port.name);
        by_vlan[port.vlan].push_back(port.name);
    }
    std::string trusted;
    for (const net::MacAddress& mac : blockade.trusted)
        trusted += (trusted.empty() ? "" : ", ") + net::to_text(mac);
    std::string text(remove_table);
    text += "table bridge porchlight_guard {\n";
    text += set_of("ports", "ifname", names_of(ports)) + set_of("trusted", "ether_addr", trusted);
    text += "    counter blocked { packets " + std::to_string(blocked) + " bytes 0 }";
    text += hook;
    for (const auto& [vlan, those] : by_vlan) text += other_vlans(vlan, those);
    return text.append(chains);
}

std::optional<std::uint64_t> blocked_in(std::string_view listed) {
    const std::size_t heading = listed.find(counter_heading);
    if (heading == listed.npos) return std::nullopt;
    const std::size_t at = listed.find(counter_words, heading);
    if (at == listed.npos) return std::nullopt;
    std::uint64_t count = 0;
    const char* const begin = listed.data() + at + counter_words.size();
    const auto [end, ec] = std::from_chars(begin, listed.data() + listed.size(), count);
    return ec == std::errc() ? std::optional(count) : std::nullopt;
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
    const std::string rules = guard_rules(blockade, blocked_);
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
    blocked_ = 0;
    return {};
}

bool GuardRules::look() {
    const auto listed = list();
    if (listed) blocked_ = blocked_in(*listed).value_or(blocked_);
    if (listed || listed.error().code != Errc::refused) return true;
    loaded_.reset();
    return false;
}

}  // namespace porchlight::agent
