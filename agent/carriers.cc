#include "agent/carriers.h"

#include <algorithm>
#include <set>

#include "dhcp/odhcpd_feed.h"

namespace porchlight::agent {
namespace {

/// odhcpd is told section by section. Where a link has none of its own that UCI could name, a
/// person has to say what is meant.
bool has_sections(const Config& config) {
    std::set<std::string> sections;
    return std::all_of(config.lan.begin(), config.lan.end(), [&](const LanConfig& lan) {
        return dhcp::is_uci_name(lan.uci_section) && sections.insert(lan.uci_section).second;
    });
}

DhcpCarrier resolve_dhcpv6(const Config& asked, const Found& found) {
    const RaCarrier ra = asked.announce.ra;
    if (ra == RaCarrier::odhcpd) return DhcpCarrier::odhcpd;
    // It would put the same into its Router Advertisements, beside ours or against the user's will.
    const bool may_advertise = ra == RaCarrier::automatic || ra == RaCarrier::full;
    return found.odhcpd && may_advertise && has_sections(asked) ? DhcpCarrier::odhcpd
                                                                : DhcpCarrier::dnsmasq;
}

const char* name_of(DhcpCarrier carrier) {
    switch (carrier) {
        case DhcpCarrier::automatic:
            return "auto";
        case DhcpCarrier::dnsmasq:
            return "dnsmasq";
        case DhcpCarrier::odhcpd:
            return "odhcpd";
        case DhcpCarrier::off:
            break;
    }
    return "off";
}

const char* name_of(RaCarrier carrier) {
    switch (carrier) {
        case RaCarrier::automatic:
            return "auto";
        case RaCarrier::supplement:
            return "supplement";
        case RaCarrier::full:
            return "full";
        case RaCarrier::odhcpd:
            return "odhcpd";
        case RaCarrier::off:
            break;
    }
    return "off";
}

}  // namespace

Config resolve_carriers(const Config& asked, const Found& found) {
    Config resolved = asked;
    AnnounceConfig& announce = resolved.announce;
    if (announce.dhcpv4 == DhcpCarrier::automatic) announce.dhcpv4 = DhcpCarrier::dnsmasq;
    if (announce.dhcpv6 == DhcpCarrier::automatic) announce.dhcpv6 = resolve_dhcpv6(asked, found);
    if (announce.ra == RaCarrier::automatic)
        announce.ra =
            announce.dhcpv6 == DhcpCarrier::odhcpd ? RaCarrier::odhcpd : RaCarrier::supplement;
    return resolved;
}

bool depends_on_found(const Config& asked) {
    return resolve_carriers(asked, {.odhcpd = true}) != resolve_carriers(asked, {.odhcpd = false});
}

std::vector<ChosenCarrier> chosen_carriers(const AnnounceConfig& asked,
                                           const AnnounceConfig& resolved) {
    return {
        {"dhcpv4", name_of(resolved.dhcpv4), asked.dhcpv4 == DhcpCarrier::automatic},
        {"dhcpv6", name_of(resolved.dhcpv6), asked.dhcpv6 == DhcpCarrier::automatic},
        {"ra", name_of(resolved.ra), asked.ra == RaCarrier::automatic},
    };
}

}  // namespace porchlight::agent
