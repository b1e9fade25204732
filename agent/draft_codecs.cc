#include "agent/draft_codecs.h"

#include <utility>

#include "agent/option_refusals.h"
#include "core/writer.h"
#include "dhcp/draft_request.h"
#include "dhcp/draft_v4.h"
#include "dhcp/draft_v6.h"
#include "dhcp/vendor_opts.h"
#include "dns/draft_resolver.h"
#include "ra/draft_options.h"

namespace porchlight::agent {
namespace {

using Records = std::vector<ResolverRecord>;
using Resolvers = std::vector<dns::DraftResolver>;

constexpr std::size_t unit_octets = 8;  // of an RA option's Length field

/// The path of a template that says nothing which name and port don't: those are told as dohpath.
std::optional<std::string> plain_path(const dns::DraftResolver& resolver) {
    if (!resolver.adn || resolver.templates.size() != 1) return std::nullopt;
    const auto at = dns::parse_doh_template(resolver.templates.front());
    if (!at ||
        dns::doh_template(*resolver.adn, resolver.port, at->path) != resolver.templates.front())
        return std::nullopt;
    return at->path;
}

ResolverRecord record_of(const dns::DraftResolver& resolver) {
    ResolverRecord record;
    record.adn = resolver.adn;
    record.addresses = resolver.addresses;
    record.params.alpn = dns::alpn_of(resolver.flags);
    if (resolver.port != 0) record.params.port = resolver.port;
    record.params.dohpath = plain_path(resolver);
    if (!record.params.dohpath) record.templates = resolver.templates;
    record.lifetime = resolver.lifetime;
    record.why_not_usable = dns::why_not_usable(resolver);
    return record;
}

dns::DraftResolver resolver_of(const ResolverRecord& record) {
    dns::DraftResolver resolver{record.adn,
                                dns::flags_of(record.params.alpn),
                                record.params.port.value_or(0),
                                record.addresses,
                                record.templates,
                                record.lifetime};
    if (record.params.dohpath && record.adn)
        resolver.templates.push_back(
            dns::doh_template(*record.adn, resolver.port, *record.params.dohpath));
    return resolver;
}

Error none_of_the_drafts(const char* carrier, unsigned code, const std::string& codes) {
    return {Errc::malformed, std::string(carrier) + " option " + std::to_string(code) +
                                 " is none of the draft's, which are " + codes};
}

Result<Records> records_of(const Result<Resolvers>& resolvers) {
    if (!resolvers) return resolvers.error();
    Records records;
    for (const dns::DraftResolver& resolver : *resolvers) records.push_back(record_of(resolver));
    return records;
}

Result<ResolverRecord> request_of(Bytes option, const char* of) {
    const auto request = dhcp::parse_draft_request(option);
    if (!request) return request.error();
    ResolverRecord record;
    record.request = dns::alpn_of(request->flags);
    record.request_of = of;
    record.why_not_usable = "a client asks for these protocols; nobody is named";
    return record;
}

Result<Records> decode_v4(Bytes payload) {
    if (dhcp::is_draft_request(payload)) {
        const auto request = request_of(payload, "");
        if (!request) return request.error();
        return Records{*request};
    }
    const auto instances = dhcp::parse_v4_enc_dns(payload);
    if (!instances) return instances.error();
    Resolvers resolvers;
    for (const auto& instance : *instances) resolvers.push_back(draft_resolver_of(instance));
    return records_of(resolvers);
}

/// A message's options or, under an enterprise's number, the sub-options of those numbered 17.
Result<std::vector<dhcp::V6Option>> v6_options_in(Bytes octets, std::uint32_t enterprise) {
    const auto options = dhcp::parse_v6_options(octets);
    if (!options || enterprise == 0) return options;
    std::vector<dhcp::V6Option> inside;
    for (const dhcp::V6Option& option : *options) {
        const std::string wanted = "sub-options of 17 under " + std::to_string(enterprise);
        if (option.code != dhcp::vendor_opts_code)
            return none_of_the_drafts("DHCPv6", option.code, wanted);
        const auto vendor = dhcp::parse_vendor_opts(option.data);
        if (!vendor) return vendor.error();
        if (vendor->enterprise != enterprise)
            return Error{Errc::malformed, "DHCPv6 option 17 of enterprise " +
                                              std::to_string(vendor->enterprise) +
                                              " is none of the draft's, which are " + wanted};
        inside.insert(inside.end(), vendor->options.begin(), vendor->options.end());
    }
    if (inside.empty()) return Error{Errc::malformed, "the draft's options: there is none"};
    return inside;
}

Result<Records> decode_v6(Bytes octets, const dns::DraftCodePoints& points) {
    const auto options = v6_options_in(octets, points.enterprise);
    if (!options) return options.error();
    const dns::DraftCodePoints codes = dhcp::within(points);
    Records requests;
    for (const dhcp::V6Option& option : *options) {
        const bool names = option.code == codes.dhcpv6_adn;
        if (!names && option.code != codes.dhcpv6_addresses &&
            option.code != codes.dhcpv6_templates)
            return none_of_the_drafts("DHCPv6", option.code,
                                      std::to_string(codes.dhcpv6_adn) + ", " +
                                          std::to_string(codes.dhcpv6_addresses) + " and " +
                                          std::to_string(codes.dhcpv6_templates));
        if (!dhcp::is_draft_request(option.data) || option.code == codes.dhcpv6_templates) continue;
        const auto request = request_of(option.data, names ? "adn" : "addresses");
        if (!request) return request.error();
        requests.push_back(*request);
    }
    if (!requests.empty()) {
        if (requests.size() == options->size()) return requests;
        return Error{Errc::malformed, "the draft's options: some ask, and others offer"};
    }
    dhcp::DraftReceivedV6 received = dhcp::read_draft_v6(*options, codes);
    if (!received.malformed.empty()) return received.malformed.front();
    return records_of(std::move(received.resolvers));
}

/// A run of options cut at their Lengths. Where a Length can't be, the rest stays whole, for the
/// option's parser to refuse.
std::vector<Buffer> cut(Bytes octets) {
    std::vector<Buffer> options;
    while (!octets.empty()) {
        const std::size_t length = octets.size() < 2 ? 0 : octets[1] * unit_octets;
        const bool plausible = length > 0 && length <= octets.size();
        const Bytes option = octets.first(plausible ? length : octets.size());
        options.emplace_back(option.begin(), option.end());
        octets = octets.subspan(option.size());
    }
    return options;
}

Result<Records> decode_ra(Bytes octets, const dns::DraftCodePoints& codes) {
    const std::vector<Buffer> options = cut(octets);
    for (const Buffer& option : options)
        if (option.front() != codes.ra_adn && option.front() != codes.ra_addresses)
            return none_of_the_drafts(
                "RA", option.front(),
                std::to_string(codes.ra_adn) + " and " + std::to_string(codes.ra_addresses));
    ra::DraftReceived received = ra::read_draft(options, codes);
    if (!received.malformed.empty()) return received.malformed.front();
    return records_of(std::move(received.resolvers));
}

template <class Option>
Result<Buffer> octets_of(const Option& option) {
    Writer out;
    write(out, option);
    return out.take();
}

Result<std::vector<dhcp::V6Option>> v6_options_of(const ResolverRecord& record,
                                                  const dns::DraftCodePoints& codes) {
    if (record.request.empty()) return dhcp::draft_v6_options(resolver_of(record), codes);
    const auto data = octets_of(dhcp::DraftRequest{dns::flags_of(record.request)});
    if (!data) return data.error();
    const bool names = record.request_of == "adn";
    return std::vector<dhcp::V6Option>{{names ? codes.dhcpv6_adn : codes.dhcpv6_addresses, *data}};
}

Result<std::vector<Buffer>> write_v6(const ResolverRecord& record,
                                     const dns::DraftCodePoints& codes) {
    auto options = v6_options_of(record, dhcp::within(codes));
    if (!options) return options.error();
    if (codes.enterprise != 0) {
        const auto vendor = octets_of(dhcp::VendorOpts{codes.enterprise, *options});
        if (!vendor) return vendor.error();
        options = std::vector<dhcp::V6Option>{{dhcp::vendor_opts_code, *vendor}};
    }
    std::vector<Buffer> octets;
    for (const dhcp::V6Option& option : *options) {
        Result<Buffer> one = octets_of(option);
        if (!one) return one.error();
        octets.push_back(*std::move(one));
    }
    return octets;
}

Result<std::vector<Buffer>> write_v4(const ResolverRecord& record) {
    const auto octets = record.request.empty()
                            ? octets_of(dhcp::v4_enc_dns(resolver_of(record)))
                            : octets_of(dhcp::DraftRequest{dns::flags_of(record.request)});
    if (!octets) return octets.error();
    return std::vector<Buffer>{*octets};
}

}  // namespace

Result<std::vector<ResolverRecord>> decode_draft(Carrier carrier, Bytes octets,
                                                 const dns::DraftCodePoints& codes) {
    if (octets.empty()) return Error{Errc::malformed, "the draft's options: there is none"};
    if (carrier == Carrier::dhcpv4) return decode_v4(octets);
    return carrier == Carrier::dhcpv6 ? decode_v6(octets, codes) : decode_ra(octets, codes);
}

Result<std::vector<Buffer>> write_draft(Carrier carrier, std::span<const ResolverRecord> records,
                                        const dns::DraftCodePoints& codes) {
    std::vector<Buffer> options;
    for (std::size_t at = 0; at < records.size(); ++at) {
        const ResolverRecord& record = records[at];
        const auto own = carrier == Carrier::dhcpv4 ? write_v4(record)
                         : carrier == Carrier::dhcpv6
                             ? write_v6(record, codes)
                             : ra::draft_options(resolver_of(record), codes);
        if (!own) return refused_at(pointer("", at), own.error().message);
        options.insert(options.end(), own->begin(), own->end());
    }
    return options;
}

}  // namespace porchlight::agent
