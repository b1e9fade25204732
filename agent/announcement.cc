#include "agent/announcement.h"

#include <algorithm>

#include "dhcp/dnsmasq_feed.h"
#include "ra/dnr_option.h"
#include "ra/draft_options.h"
#include "ra/sender.h"

namespace porchlight::agent {
namespace {

std::vector<std::string> sentences(const std::vector<dns::LeftOut>& left_out) {
    std::vector<std::string> list;
    for (const dns::LeftOut& one : left_out) list.push_back(to_text(one.adn) + ": " + one.why);
    return list;
}

std::string option_text(unsigned code, Bytes octets) {
    return std::to_string(code) + " " + to_hex(octets);
}

/// One carrier's row. `why` tells why nothing is announced where that is so.
CarrierStatus row(const std::string& hosts, const std::string& why, const char* carrier,
                  std::vector<std::string> options, const std::vector<dns::LeftOut>& left_out) {
    CarrierStatus status;
    status.link = hosts;
    status.carrier = carrier;
    status.options = std::move(options);
    status.left_out = sentences(left_out);
    status.announced = !status.options.empty();
    if (status.announced) return status;
    status.why = why;
    if (status.why.empty() && !status.left_out.empty()) status.why = status.left_out.front();
    return status;
}

std::vector<std::string> texts_of(const dhcp::CarrierOptions& carrier) {
    std::vector<std::string> texts;
    for (const auto& option : carrier.options)
        texts.push_back(option_text(option.code, option.data));
    return texts;
}

void announce_by_dnsmasq(const Config& config, const Plan& plan, Announcement& whole) {
    std::vector<dhcp::TaggedResolvers> links, groups;
    std::map<std::string, std::string> why;
    for (const LinkPlan& link : plan.links) {
        links.push_back({link.link, link.resolvers});
        why[link.link] = link.why;
    }
    for (const GroupPlan& group : plan.groups) {
        groups.push_back({group.tag, group.resolvers});
        if (group.resolvers.empty()) why[group.tag] = "this group is told of none";
    }
    const dhcp::DnsmasqUse use{config.announce.dhcpv4 == DhcpCarrier::dnsmasq,
                               config.announce.dhcpv6 == DhcpCarrier::dnsmasq,
                               config.announce.forms};
    const dhcp::DnsmasqOptions options = dhcp::dnsmasq_options(links, groups, use);
    bool told = false;
    const auto show = [&](const dhcp::HostOptions& hosts) {
        if (use.v4)
            whole.carriers.push_back(
                row(hosts.tag, why[hosts.tag], "dhcpv4", texts_of(hosts.v4), hosts.v4.left_out));
        if (use.v6)
            whole.carriers.push_back(
                row(hosts.tag, why[hosts.tag], "dhcpv6", texts_of(hosts.v6), hosts.v6.left_out));
        told = told || !hosts.v4.options.empty() || !hosts.v6.options.empty();
    };
    for (const dhcp::HostOptions& hosts : options.links) show(hosts);
    for (const dhcp::HostOptions& hosts : options.groups) {
        show(hosts);
        for (CarrierStatus& carrier : whole.carriers)
            if (carrier.link == hosts.tag) carrier.is_group = true;
    }
    // Empty when nothing is told, and only then: the next start goes by that.
    if (told) whole.dnsmasq_options = dhcp::options_text(options);
}

void announce_by_ra(const Config& config, const LinkPlan& link, Announcement& whole) {
    const std::chrono::seconds lifetime = lifetime_in_intervals * config.announce.ra_interval;
    std::vector<Buffer> options;
    std::vector<dns::LeftOut> left_out;
    for (const dns::Format format : config.announce.forms.formats) {
        if (format == dns::Format::rfc9463) {
            ra::Encoded encoded = ra::encode(link.resolvers, lifetime);
            for (Buffer& option : encoded.options) options.push_back(std::move(option));
            left_out.insert(left_out.end(), encoded.left_out.begin(), encoded.left_out.end());
            continue;
        }
        ra::EncodedDraft encoded =
            ra::encode_draft(link.resolvers, lifetime, ra::Sender::option_octets_max,
                             config.announce.forms.code_points);
        // The two options of a resolver must not be parted, so they are one unit.
        for (const auto& group : encoded.groups) {
            Buffer& unit = options.emplace_back();
            for (const Buffer& option : group)
                unit.insert(unit.end(), option.begin(), option.end());
        }
        for (dns::LeftOut& one : encoded.left_out) {
            one.why = "in the draft's form: " + one.why;
            left_out.push_back(std::move(one));
        }
    }
    std::vector<std::string> texts;
    for (const Buffer& unit : options) texts.push_back(option_text(unit.front(), unit));
    whole.carriers.push_back(row(link.link, link.why, "ra", std::move(texts), left_out));
    whole.ra[link.link] = std::move(options);
}

}  // namespace

Announcement announce(const Config& config, const Plan& plan) {
    Announcement whole;
    announce_by_dnsmasq(config, plan, whole);
    if (config.announce.ra != RaCarrier::off)
        for (const LinkPlan& link : plan.links) announce_by_ra(config, link, whole);
    return whole;
}

}  // namespace porchlight::agent
