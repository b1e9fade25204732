#include "agent/guard_rules.h"

#include <charconv>

#include "agent/spawn.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::seconds nft_may_take{5};
constexpr std::string_view counter_heading = "counter blocked {";
constexpr std::string_view counter_words = "packets ";

/// Adding before deleting makes the deletion succeed whether the table was there or not.
constexpr std::string_view remove_table =
    "add table bridge porchlight_guard\ndelete table bridge porchlight_guard\n";

/// A rule that tells a message by what stands behind its extension headers does not match while
/// that can't be read. So the last chain lets go whatever can be read.
constexpr std::string_view chains = R"(
    chain forward {
        type filter hook forward priority -201; policy accept;
        iifname @ports ether saddr != @trusted jump strangers
    }
    chain strangers {
        udp dport 68 counter name blocked drop
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

std::string set_of(std::string_view name, std::string_view type, const std::string& elements) {
    return "    set " + std::string(name) + " { type " + std::string(type) + "; " +
           (elements.empty() ? "" : "elements = { " + elements + " }; ") + "}\n";
}

Result<std::string> list_table() {
    return read_program({"nft", "list", "table", "bridge", "porchlight_guard"}, {}, nft_may_take);
}

Result<void> run_nft(std::string_view script) {
    return run_program({"nft", "-f", "-"}, bytes_of(script), nft_may_take);
}

}  // namespace

std::string guard_rules(const Blockade& blockade, std::uint64_t blocked) {
    std::string ports;
    for (const std::string& port : blockade.ports)
        ports += (ports.empty() ? "\"" : ", \"") + port + '"';
    std::string trusted;
    for (const net::MacAddress& mac : blockade.trusted)
        trusted += (trusted.empty() ? "" : ", ") + net::to_text(mac);
    std::string text(remove_table);
    text += "table bridge porchlight_guard {\n";
    text += set_of("ports", "ifname", ports) + set_of("trusted", "ether_addr", trusted);
    text += "    counter blocked { packets " + std::to_string(blocked) + " bytes 0 }";
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

Result<void> GuardRules::load(const Blockade& blockade) {
    if (loaded_) (void)look();
    auto done = run_nft(guard_rules(blockade, blocked_));
    if (done) loaded_ = blockade;
    return done;
}

Result<void> GuardRules::unload() {
    const auto listed = list_table();
    if (listed) return run_nft(remove_table);
    // Where it can't be listed there is none, or no nft and no family bridge to have one.
    if (listed.error().code == Errc::timeout) return listed.error();
    return {};
}

bool GuardRules::look() {
    const auto listed = list_table();
    if (!listed) {
        loaded_.reset();
        return false;
    }
    blocked_ = blocked_in(*listed).value_or(blocked_);
    return true;
}

}  // namespace porchlight::agent
