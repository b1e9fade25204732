#include "agent/announcement.h"

#include <algorithm>

#include "agent/odhcpd.h"
#include "core/log.h"
#include "dhcp/dnsmasq_feed.h"
#include "dhcp/odhcpd_feed.h"
#include "dhcp/v6_dnr.h"
#include "dhcp/vendor_opts.h"
#include "ra/dnr_option.h"
#include "ra/draft_options.h"
#include "ra/options.h"
#include "ra/sender.h"

namespace porchlight::agent {
namespace {

constexpr std::size_t dhcpv6_octets_max = 65535;  // of an option (RFC 8415 section 21.1)

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
    for (const auto& option : carrier.options) {
        if (option.enterprise == 0) {
            texts.push_back(option_text(option.code, option.data));
            continue;
        }
        Writer out;
        write(out, dhcp::VendorOpts{option.enterprise, {{option.code, option.data}}});
        texts.push_back(option_text(dhcp::vendor_opts_code, out.view()));
    }
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
        groups.push_back({group.tag, group.resolvers, group.links});
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

/// Options as units of ra/options.h, and who is not in them.
struct RaUnits {
    ra::NdOptions units;
    std::vector<dns::LeftOut> left_out;
};

RaUnits encode_ra(const dns::Forms& forms, const std::vector<dns::EncryptedResolver>& resolvers,
                  std::chrono::seconds lifetime) {
    RaUnits whole;
    for (const dns::Format format : forms.formats) {
        if (format == dns::Format::rfc9463) {
            ra::Encoded encoded = ra::encode(resolvers, lifetime, ra::Sender::option_octets_max);
            for (Buffer& option : encoded.options) whole.units.push_back(std::move(option));
            whole.left_out.insert(whole.left_out.end(), encoded.left_out.begin(),
                                  encoded.left_out.end());
            continue;
        }
        ra::EncodedDraft encoded =
            ra::encode_draft(resolvers, lifetime, ra::Sender::option_octets_max, forms.code_points);
        // The two options of a resolver must not be parted, so they are one unit.
        for (const auto& group : encoded.groups) {
            Buffer& unit = whole.units.emplace_back();
            for (const Buffer& option : group)
                unit.insert(unit.end(), option.begin(), option.end());
        }
        for (dns::LeftOut& one : encoded.left_out) {
            one.why = "in the draft's form: " + one.why;
            whole.left_out.push_back(std::move(one));
        }
    }
    return whole;
}

/// The ends of those of the link's resolvers that `is_told` says a unit tells of: of several that
/// are one to hosts, the first.
template <class IsTold>
Clock::time_point end_of(const LinkPlan& link, IsTold is_told) {
    Clock::time_point end = ra::Ends::never;
    for (std::size_t i = 0; i < link.ends.size(); ++i)
        if (is_told(link.resolvers[i])) end = std::min(end, link.ends[i]);
    return end;
}

Clock::time_point end_of(const Buffer& unit, const LinkPlan& link, const dns::Forms& forms) {
    if (const auto dnr = ra::parse_dnr_option(unit))
        return end_of(link, [&](const dns::EncryptedResolver& resolver) {
            return ra::dnr_option(resolver, dnr->lifetime) == *dnr;
        });
    const ra::DraftReceived read = ra::read_draft(ra::options_of(unit), forms.code_points);
    return end_of(link, [&](const dns::EncryptedResolver& resolver) {
        return std::ranges::any_of(read.resolvers,
                                   [&](const auto& told) { return told.adn == resolver.adn; });
    });
}

ra::Ends ends_of(const ra::NdOptions& units, const LinkPlan& link, const dns::Forms& forms) {
    if (link.ends.empty()) return {};
    std::vector<Clock::time_point> ends;
    for (const Buffer& unit : units) ends.push_back(end_of(unit, link, forms));
    return {units, ends};
}

void announce_by_ra(const Config& config, const LinkPlan& link, Announcement& whole) {
    const auto interval = config.announce.ra_interval;
    const auto encode = [&](std::size_t packets) {
        return encode_ra(config.announce.forms, link.resolvers,
                         ra::option_lifetime(interval, packets));
    };
    RaUnits told = encode(1);
    std::size_t packets = ra::spread(told.units, ra::Sender::option_octets_max).size();
    // In full form the router's own options may need one more.
    if (packets > 1 && config.announce.ra == RaCarrier::full) ++packets;
    if (packets > 1) told = encode(packets);
    std::vector<std::string> texts;
    for (const Buffer& unit : told.units) texts.push_back(option_text(unit.front(), unit));
    whole.carriers.push_back(row(link.link, link.why, "ra", std::move(texts), told.left_out));
    ra::Ends ends = ends_of(told.units, link, config.announce.forms);
    whole.ra[link.link] = {std::move(told.units), std::move(ends)};
}

/// odhcpd encodes for itself; what it is to send is shown all the same.
void announce_by_odhcpd(const Config& config, const LinkPlan& link, Announcement& whole) {
    const AnnounceConfig& told = config.announce;
    const std::chrono::seconds lifetime = lifetime_in_intervals * told.ra_interval;
    dhcp::OdhcpdList list;
    for (const dns::Format format : told.forms.formats) {
        if (format == dns::Format::rfc9463) {
            // Whether its RAs are off is its own configuration's to say; so its list suits them.
            const dhcp::OdhcpdUse use{told.ra != RaCarrier::off,
                                      told.dhcpv4 != DhcpCarrier::dnsmasq, lifetime};
            dhcp::OdhcpdList rendered = dhcp::odhcpd_list(link.resolvers, use);
            list.values = std::move(rendered.values);
            list.told = std::move(rendered.told);
            list.left_out.insert(list.left_out.end(), rendered.left_out.begin(),
                                 rendered.left_out.end());
            continue;
        }
        for (const dns::EncryptedResolver& resolver : link.resolvers)
            list.left_out.push_back(
                {resolver.priority, resolver.adn, "in the draft's form: odhcpd does not know it"});
    }
    std::vector<dhcp::OdhcpdEntry> entries;
    for (const LanConfig& lan : config.lan)
        if (lan.interface == link.link)
            for (const std::string& value : list.values)
                entries.push_back({lan.uci_section, value});
    whole.odhcpd_lists += dhcp::odhcpd_text(entries);
    const auto show = [&](const char* carrier, unsigned code, const std::vector<Buffer>& options) {
        std::vector<std::string> texts;
        for (const Buffer& option : options) texts.push_back(option_text(code, option));
        whole.carriers.push_back(
            row(link.link, link.why, carrier, std::move(texts), list.left_out));
        whole.carriers.back().by_odhcpd = true;
    };
    if (told.dhcpv6 == DhcpCarrier::odhcpd)
        show("dhcpv6", dhcp::v6_dnr_code,
             dhcp::encode_v6(list.told, list.told.size(), dhcpv6_octets_max).options);
    if (told.ra == RaCarrier::odhcpd)
        show("ra", ra::dnr_option_type, ra::encode(list.told, lifetime).options);
}

}  // namespace

Announcement announce(const Config& config, const Plan& plan) {
    Announcement whole;
    announce_by_dnsmasq(config, plan, whole);
    if (feeds_odhcpd(config))
        for (const LinkPlan& link : plan.links) announce_by_odhcpd(config, link, whole);
    if (advertises(config.announce.ra))
        for (const LinkPlan& link : plan.links) announce_by_ra(config, link, whole);
    return whole;
}

void judge_feeds(std::vector<CarrierStatus>& carriers, const Processes& processes) {
    for (CarrierStatus& carrier : carriers) {
        if (!carrier.announced || (carrier.carrier == "ra" && !carrier.by_odhcpd)) continue;
        carrier.why = carrier.by_odhcpd ? processes.odhcpd_trouble : processes.dnsmasq_trouble;
        carrier.announced = carrier.why.empty();
    }
}

void log_what_is_told(const Plan& plan) {
    for (const LinkPlan& link : plan.links)
        log::info(link.resolvers.empty() ? "announcing nothing" : "announcing",
                  {{"link", link.link},
                   {link.resolvers.empty() ? "why" : "adn",
                    link.resolvers.empty() ? link.why : to_text(link.resolvers.front().adn)}});
}

}  // namespace porchlight::agent
