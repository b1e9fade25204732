#include "agent/setup_carriers.h"

#include <algorithm>

#include "agent/carriers.h"
#include "core/escape.h"

namespace porchlight::agent::setup {
namespace {

bool is_v4(const DhcpRange& range) {
    return std::holds_alternative<Ipv4>(range.start);
}

/// Whether dnsmasq answers hosts of the link by DHCP of one version.
bool answers(const DnsmasqFound& dnsmasq, const net::Link& link, bool v4) {
    if (!dnsmasq.unread.empty()) return true;
    const auto& none = v4 ? dnsmasq.no_dhcpv4 : dnsmasq.no_dhcpv6;
    if (!serves(dnsmasq, link.name) || any_matches(none, link.name)) return false;
    return std::any_of(dnsmasq.ranges.begin(), dnsmasq.ranges.end(), [&](const DhcpRange& range) {
        return is_v4(range) == v4 && range.dhcp && covers(range, link);
    });
}

bool advertises_on(const DnsmasqFound& dnsmasq, const net::Link& link) {
    if (!serves(dnsmasq, link.name) || any_matches(dnsmasq.no_dhcpv6, link.name)) return false;
    return std::any_of(dnsmasq.ranges.begin(), dnsmasq.ranges.end(), [&](const DhcpRange& range) {
        return !is_v4(range) && (range.advertised || dnsmasq.enable_ra) && covers(range, link);
    });
}

std::string why_dhcp_silent(DhcpCarrier carrier, bool v4, const net::Link& link, const Found& found,
                            const std::optional<DnsmasqFound>& dnsmasq) {
    if (carrier == DhcpCarrier::odhcpd) return found.odhcpd ? "" : "no odhcpd was found";
    if (!dnsmasq) return "no dnsmasq was found for " + escape(link.name);
    if (answers(*dnsmasq, link, v4)) return "";
    return std::string("dnsmasq has no dhcp-range for ") + (v4 ? "IPv4" : "IPv6") + " on " +
           escape(link.name);
}

}  // namespace

Config in_force(const Config& config, const Found& found) {
    return resolve_carriers(config, {.odhcpd = found.odhcpd});
}

std::string why_silent(const AnnounceConfig& announce, const std::string& carrier,
                       const net::Link& link, const Found& found,
                       const std::optional<DnsmasqFound>& dnsmasq) {
    if (carrier == "dhcpv4") return why_dhcp_silent(announce.dhcpv4, true, link, found, dnsmasq);
    if (carrier == "dhcpv6") return why_dhcp_silent(announce.dhcpv6, false, link, found, dnsmasq);
    if (announce.ra == RaCarrier::full) return "";
    if (announce.ra == RaCarrier::odhcpd) return found.odhcpd ? "" : "no odhcpd was found";
    const bool unknown = dnsmasq && !dnsmasq->unread.empty();
    if (unknown || !advertisers(link, found, dnsmasq).empty()) return "";
    return "no RA daemon was found on " + escape(link.name) +
           "; hosts are told by RA once there is one, or set announce.ra to \"full\"";
}

std::string advertisers(const net::Link& link, const Found& found,
                        const std::optional<DnsmasqFound>& dnsmasq) {
    std::string text;
    const auto add = [&](bool there, std::string_view name) {
        if (there) text.append(text.empty() ? "" : ", ").append(name);
    };
    add(dnsmasq && advertises_on(*dnsmasq, link), "dnsmasq");
    add(std::any_of(found.radvd.begin(), found.radvd.end(),
                    [&](const RadvdFound& one) {
                        return !one.known || std::find(one.interfaces.begin(), one.interfaces.end(),
                                                       link.name) != one.interfaces.end();
                    }),
        "radvd");
    add(found.odhcpd, "odhcpd");
    return text;
}

}  // namespace porchlight::agent::setup
