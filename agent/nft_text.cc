#include "agent/nft_text.h"

#include <map>

namespace porchlight::agent {

std::string names_of(const std::vector<BridgePort>& ports) {
    return listed(ports, [](const BridgePort& port) { return '"' + port.name + '"'; });
}

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

std::string counter_of(std::string_view name, std::uint64_t packets) {
    return "    counter " + std::string(name) + " { packets " + std::to_string(packets) +
           " bytes 0 }\n";
}

}  // namespace porchlight::agent
