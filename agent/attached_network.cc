#include "agent/attached_network.h"

#include <algorithm>
#include <set>

namespace porchlight::agent {
namespace {

constexpr std::size_t v6_network_octets = 8;  // a host's own half says nothing of the network

bool is_outward(const Config& config, const std::string& name) {
    const auto is_it = [&](const auto& one) { return one.interface == name; };
    if (!config.wan.empty()) return std::any_of(config.wan.begin(), config.wan.end(), is_it);
    return std::none_of(config.lan.begin(), config.lan.end(), is_it);
}

/// Empty: of a link alone.
std::string network_of(const IpAddress& address) {
    if (is_loopback(address)) return {};
    const auto* v6 = std::get_if<Ipv6>(&address);
    if (v6 == nullptr) return to_text(address);
    if (is_link_local(*v6)) return {};
    Ipv6 network = *v6;
    std::fill(network.octets.begin() + v6_network_octets, network.octets.end(), std::uint8_t{0});
    return to_text(IpAddress(network));
}

}  // namespace

std::string attached_network(const Config& config, const std::vector<net::Link>& links) {
    std::set<std::string> networks;
    for (const net::Link& link : links) {
        if (!is_outward(config, link.name)) continue;
        for (const net::LinkAddress& one : link.addresses)
            if (std::string network = network_of(one.address); !network.empty())
                networks.insert(link.name + " " + network);
    }
    std::string word;
    for (const std::string& network : networks) word += (word.empty() ? "" : ", ") + network;
    return word;
}

}  // namespace porchlight::agent
