#include "agent/guard_rules.h"

#include <charconv>

#include "agent/nft_text.h"
#include "agent/spawn.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::seconds nft_may_take{5};
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

std::string blocked_name(ServerKind kind) {
    return "blocked_" + std::string(word_of(kind));
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
    if (blockade.sources) text += source_rules(*blockade.sources);
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
    // The whole table may hold thousands of leases.
    return nft_({"list", "counters", "table", "bridge", "porchlight_guard"}, {});
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
