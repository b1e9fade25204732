#include "agent/guard_sources.h"

#include <set>

namespace porchlight::agent {
namespace {

/// nft takes what stands where an untagged frame's EtherType does for the protocol, unless it is
/// told to ask for that: a tag of no VLAN would hide ARP and ICMPv6. Sets of `@nh` it can load and
/// not list.
constexpr std::string_view common = R"(
    chain sources {
        meta protocol { 8021q, 8021ad } @nh,0,16 & 0x0fff == 0 counter name forged drop
        meta protocol 0x0004 @nh,0,64 0xaaaa030000000800 counter name forged drop
        meta protocol 0x0004 @nh,0,64 0xaaaa030000000806 counter name forged drop
        meta protocol 0x0004 @nh,0,64 0xaaaa0300000086dd counter name forged drop
        ip saddr @leased4 ether saddr . ip saddr != @leased counter name forged drop
        meta protocol arp arp saddr ip @leased4 arp saddr ether . arp saddr ip != @leased counter name forged drop
        meta protocol ip udp dport 67 jump dhcp_clients
    }
)";

constexpr std::string_view drop = " counter name forged drop\n";

std::string hex(Bytes octets) {
    return "0x" + to_hex(octets);
}

/// Whom a client's message is about stands 28 octets behind the UDP header (RFC 2131 section 2).
std::string dhcp_clients(const std::vector<Lease>& leased) {
    std::set<net::MacAddress> macs;
    for (const Lease& one : leased) macs.insert(one.mac);
    std::string text = "    chain dhcp_clients {\n";
    for (const net::MacAddress& mac : macs)
        text += "        @th,288,48 " + hex(mac.octets) + " ether saddr != " + net::to_text(mac) +
                std::string(drop);
    return text + "    }\n";
}

/// Behind the fixed part of a Neighbor Advertisement stands whose address it tells (RFC 4861
/// section 4.4).
std::string link_rules(const Sources::Link& link, const std::string& number) {
    std::vector<Ipv4> own4;
    std::vector<Ipv6> own6;
    for (const IpAddress& address : link.own) {
        if (const auto* v4 = std::get_if<Ipv4>(&address)) own4.push_back(*v4);
        if (const auto* v6 = std::get_if<Ipv6>(&address)) own6.push_back(*v6);
    }
    const auto text_of = [](const auto& address) { return to_text(address); };
    std::string text = set_of("home" + number, "ifname", names_of(link.ports)) +
                       set_of("own4_" + number, "ipv4_addr", listed(own4, text_of)) +
                       set_of("own6_" + number, "ipv6_addr", listed(own6, text_of));
    text += "    chain neighbors" + number + " {\n";
    for (const Ipv6& own : own6) text += "        @th,64,128 " + hex(own) + std::string(drop);
    text += "    }\n    chain own" + number + " {\n" + without_other_vlans(link.ports);
    text += "        ip saddr @own4_" + number + std::string(drop);
    text += "        ip6 saddr @own6_" + number + std::string(drop);
    text += "        meta protocol arp arp saddr ip @own4_" + number + std::string(drop);
    text += "        meta protocol ip6 icmpv6 type nd-neighbor-advert jump neighbors" + number;
    return text + "\n        jump sources\n    }\n";
}

}  // namespace

std::string source_rules(const Sources& sources) {
    const auto pair = [](const Lease& one) {
        return net::to_text(one.mac) + " . " + to_text(one.address);
    };
    const auto address = [](const Lease& one) { return to_text(one.address); };
    std::string text = set_of("leased", "ether_addr . ipv4_addr", listed(sources.leased, pair)) +
                       set_of("leased4", "ipv4_addr", listed(sources.leased, address)) +
                       dhcp_clients(sources.leased);
    text += common;
    std::string hook =
        "    chain prerouting {\n"
        "        type filter hook prerouting priority -201; policy accept;\n";
    for (std::size_t i = 0; i < sources.links.size(); ++i) {
        const std::string number = std::to_string(i);
        text += link_rules(sources.links[i], number);
        hook +=
            "        iifname @home" + number + " ether saddr != @trusted jump own" + number + "\n";
    }
    return text + hook + "    }\n";
}

}  // namespace porchlight::agent
