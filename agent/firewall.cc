#include "agent/firewall.h"

#include "agent/spawn.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::seconds nft_may_take{5};

/// Adding before deleting makes the deletion succeed whether the table was there or not.
constexpr std::string_view remove_table =
    "add table inet porchlight\ndelete table inet porchlight\n";

Result<void> run_nft(const std::string& script) {
    return run_program({"nft", "-f", "-"}, bytes_of(script), nft_may_take);
}

}  // namespace

std::string firewall_rules(const std::vector<std::string>& lan_interfaces,
                           const std::vector<std::uint16_t>& ports) {
    std::string inside = "\"lo\"";
    for (const std::string& name : lan_interfaces) inside += ", \"" + name + "\"";
    std::string list;
    for (std::uint16_t port : ports) list += (list.empty() ? "" : ", ") + std::to_string(port);
    std::string text(remove_table);
    text += "table inet porchlight {\n";
    text += "    chain input {\n";
    text += "        type filter hook input priority -5; policy accept;\n";
    if (!list.empty()) {
        text += "        iifname != { " + inside + " } tcp dport { " + list + " } counter drop\n";
        text += "        iifname != { " + inside + " } udp dport { " + list + " } counter drop\n";
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

}  // namespace porchlight::agent
