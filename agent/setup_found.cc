#include "agent/setup_found.h"

#include <algorithm>
#include <string_view>

namespace porchlight::agent::setup {
namespace {

/// RFC 1918 section 3.
bool is_private(const Ipv4& address) {
    const auto& octet = address.octets;
    return octet[0] == 10 || (octet[0] == 172 && octet[1] >> 4 == 1) ||
           (octet[0] == 192 && octet[1] == 168);
}

/// Of a network with room for hosts; a tunnel's end has an address all to itself.
bool is_of_a_home(const net::LinkAddress& address) {
    if (const auto* v4 = std::get_if<Ipv4>(&address.address))
        return is_private(*v4) && address.prefix < 31;
    return is_unique_local(std::get<Ipv6>(address.address)) && address.prefix <= 64;
}

bool is_hexadecimal(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == text.npos;
}

/// Bridges that programs make for what runs on this machine.
bool is_virtual_network(std::string_view name) {
    for (std::string_view prefix :
         {"docker", "podman", "cni", "virbr", "lxcbr", "lxdbr", "incusbr", "veth"})
        if (name.starts_with(prefix)) return true;
    return name.starts_with("br-") && name.size() == 15 && is_hexadecimal(name.substr(3));
}

bool may_be_lan(const FoundLink& found) {
    const auto& addresses = found.link.addresses;
    return !found.loopback && !found.bridge_port && !found.default_route && found.link.up &&
           std::any_of(addresses.begin(), addresses.end(), is_of_a_home);
}

template <class Wanted>
std::vector<std::string> names_of(const std::vector<FoundLink>& links, Wanted wanted) {
    std::vector<std::string> names;
    for (const FoundLink& one : links)
        if (wanted(one)) names.push_back(one.link.name);
    return names;
}

bool serves_a_home(const DnsmasqFound& dnsmasq, const std::vector<FoundLink>& links) {
    return std::any_of(links.begin(), links.end(), [&](const FoundLink& one) {
        return may_be_lan(one) && !is_virtual_network(one.link.name) &&
               serves(dnsmasq, one.link.name);
    });
}

/// One that names its interfaces is surer of them than one that serves all.
const DnsmasqFound* choose(const Found& found) {
    const DnsmasqFound* chosen = nullptr;
    for (const DnsmasqFound& one : found.dnsmasq) {
        if (!serves_a_home(one, found.links)) continue;
        if (chosen == nullptr || (chosen->interfaces.empty() && !one.interfaces.empty()))
            chosen = &one;
    }
    return chosen;
}

}  // namespace

Proposal propose(const Found& found) {
    Proposal proposal;
    proposal.wan = names_of(found.links, [](const FoundLink& one) { return one.default_route; });
    if (const DnsmasqFound* dnsmasq = choose(found)) proposal.dnsmasq = *dnsmasq;

    const auto home = [](const FoundLink& one) {
        return may_be_lan(one) && !is_virtual_network(one.link.name);
    };
    if (proposal.dnsmasq && !proposal.dnsmasq->interfaces.empty()) {
        proposal.lan = names_of(found.links, [&](const FoundLink& one) {
            return home(one) && serves(*proposal.dnsmasq, one.link.name);
        });
        proposal.lan_is_sure = true;
        return proposal;
    }
    proposal.lan =
        names_of(found.links, [&](const FoundLink& one) { return home(one) && one.bridge; });
    if (proposal.lan.empty()) proposal.lan = names_of(found.links, home);
    if (proposal.lan.empty()) proposal.lan = names_of(found.links, may_be_lan);
    const std::size_t candidates = names_of(found.links, home).size();
    // Without a default route the way to the Internet may be taken for a home.
    proposal.lan_is_sure = candidates == 1 && proposal.lan.size() == 1 && !proposal.wan.empty();
    return proposal;
}

}  // namespace porchlight::agent::setup
