#include "agent/announcement.h"

#include <algorithm>

#include "dhcp/dnsmasq_feed.h"
#include "ra/dnr_option.h"

namespace porchlight::agent {
namespace {

/// How long hosts keep what an RA told them: three lost RAs do no harm (RFC 8106 section 5.1).
constexpr int lifetime_in_intervals = 3;

std::vector<std::string> sentences(const std::vector<dns::LeftOut>& left_out) {
    std::vector<std::string> list;
    for (const dns::LeftOut& one : left_out) list.push_back(to_text(one.adn) + ": " + one.why);
    return list;
}

/// One carrier's row. `why` tells why nothing is announced where that is so.
CarrierStatus row(const LinkPlan& link, const char* carrier, const std::vector<Buffer>& options,
                  const std::vector<dns::LeftOut>& left_out) {
    CarrierStatus status;
    status.link = link.link;
    status.carrier = carrier;
    status.left_out = sentences(left_out);
    for (const Buffer& option : options) {
        if (!status.option_hex.empty()) status.option_hex += ' ';
        status.option_hex += to_hex(option);
    }
    status.announced = !options.empty();
    if (status.announced) return status;
    status.why = link.why;
    if (status.why.empty() && !status.left_out.empty()) status.why = status.left_out.front();
    return status;
}

}  // namespace

Announcement announce(const Config& config, const Plan& plan) {
    Announcement whole;
    std::vector<dhcp::LinkOptions> links;
    for (const LinkPlan& link : plan.links) {
        dhcp::LinkOptions options = dhcp::link_options(link.link, link.resolvers);
        if (config.announce.dhcpv4 == DhcpCarrier::dnsmasq) {
            std::vector<Buffer> payloads;
            if (!options.v4.payload.empty()) payloads.push_back(options.v4.payload);
            whole.carriers.push_back(row(link, "dhcpv4", payloads, options.v4.left_out));
        } else {
            options.v4 = {};
        }
        if (config.announce.dhcpv6 == DhcpCarrier::dnsmasq) {
            whole.carriers.push_back(row(link, "dhcpv6", options.v6.options, options.v6.left_out));
        } else {
            options.v6 = {};
        }
        links.push_back(std::move(options));
        if (config.announce.ra == RaCarrier::supplement) {
            ra::Encoded encoded =
                ra::encode(link.resolvers, lifetime_in_intervals * config.announce.ra_interval);
            whole.carriers.push_back(row(link, "ra", encoded.options, encoded.left_out));
            whole.ra[link.link] = std::move(encoded.options);
        }
    }
    // Empty when nothing is told, and only then: the next start goes by that.
    const bool told = std::any_of(links.begin(), links.end(), [](const dhcp::LinkOptions& link) {
        return !link.v4.payload.empty() || !link.v6.options.empty();
    });
    if (told) whole.dnsmasq_options = dhcp::options_text(links);
    return whole;
}

}  // namespace porchlight::agent
