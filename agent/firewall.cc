#include "agent/firewall.h"

#include <algorithm>

#include "agent/spawn.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::seconds nft_may_take{5};

/// Adding before that makes it succeed whether the table was there or not.
constexpr std::string_view remove_table =
    "add table inet porchlight\ndelete table inet porchlight\n";
/// Where anything is deleted, nft ends when the kernel has got rid of it, ten milliseconds later,
/// for which hosts would wait at each start. In a new table there is nothing to flush.
constexpr std::string_view empty_table = "add table inet porchlight\nflush table inet porchlight\n";

Result<void> run_nft(const std::string& script) {
    return run_program({"nft", "-f", "-"}, bytes_of(script), nft_may_take);
}

template <class Item>
void add_missing(std::vector<Item>& list, const std::vector<Item>& more) {
    for (const Item& item : more)
        if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

}  // namespace

Fence fence(const Config& config) {
    if (!config.resolver) return {};
    Fence fence{{}, ports(*config.resolver)};
    for (const LanConfig& lan : config.lan) fence.lan_interfaces.push_back(lan.interface);
    return fence;
}

Fence both(Fence one, const Fence& other) {
    add_missing(one.lan_interfaces, other.lan_interfaces);
    add_missing(one.ports, other.ports);
    return one;
}

std::string firewall_rules(const Fence& fence) {
    std::string inside = "\"lo\"";
    for (const std::string& name : fence.lan_interfaces) inside += ", \"" + name + "\"";
    std::string list;
    for (std::uint16_t port : fence.ports)
        list += (list.empty() ? "" : ", ") + std::to_string(port);
    std::string text(empty_table);
    text += "table inet porchlight {\n";
    text += "    chain input {\n";
    text += "        type filter hook input priority -5; policy accept;\n";
    // Every packet to the router passes here: ports, which are numbers, are looked at before names.
    if (!list.empty()) {
        text += "        tcp dport { " + list + " } iifname != { " + inside + " } counter drop\n";
        text += "        udp dport { " + list + " } iifname != { " + inside + " } counter drop\n";
    }
    text += "    }\n}\n";
    return text;
}

Result<void> load_firewall(const std::string& rules) {
    return run_nft(rules);
}

Result<void> unload_firewall() {
    return run_nft(std::string(remove_table));
}

bool firewall_stands() {
    return bool(run_program({"nft", "list", "table", "inet", "porchlight"}, {}, nft_may_take));
}

}  // namespace porchlight::agent
