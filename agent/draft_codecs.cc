#include "agent/draft_codecs.h"

#include <utility>

#include "core/reader.h"
#include "core/writer.h"
#include "dhcp/draft_v4.h"
#include "dhcp/draft_v6.h"
#include "dns/draft_resolver.h"
#include "ra/draft_options.h"

namespace porchlight::agent {
namespace {

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

Error none_of_the_drafts(const char* carrier, unsigned code) {
    return {Errc::malformed, std::string(carrier) + " option " + std::to_string(code) +
                                 " is none of the draft's at its default code points"};
}

Result<Resolvers> decode_v4(Bytes payload) {
    const auto instances = dhcp::parse_v4_enc_dns(payload);
    if (!instances) return instances.error();
    Resolvers resolvers;
    for (const auto& instance : *instances) resolvers.push_back(draft_resolver_of(instance));
    return resolvers;
}

Result<Resolvers> decode_v6(Bytes octets) {
    const auto options = dhcp::parse_v6_options(octets);
    if (!options) return options.error();
    const dns::DraftCodePoints codes;
    for (const dhcp::V6Option& option : *options)
        if (option.code != codes.dhcpv6_adn && option.code != codes.dhcpv6_addresses &&
            option.code != codes.dhcpv6_templates)
            return none_of_the_drafts("DHCPv6", option.code);
    dhcp::DraftReceivedV6 received = dhcp::read_draft_v6(*options, codes);
    if (!received.malformed.empty()) return received.malformed.front();
    return std::move(received.resolvers);
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

Result<Resolvers> decode_ra(Bytes octets) {
    const std::vector<Buffer> options = cut(octets);
    const dns::DraftCodePoints codes;
    for (const Buffer& option : options)
        if (option.front() != codes.ra_adn && option.front() != codes.ra_addresses)
            return none_of_the_drafts("RA", option.front());
    ra::DraftReceived received = ra::read_draft(options, codes);
    if (!received.malformed.empty()) return received.malformed.front();
    return std::move(received.resolvers);
}

Result<std::vector<Buffer>> options_of(Carrier carrier, const dns::DraftResolver& resolver) {
    if (carrier == Carrier::ra) return ra::draft_options(resolver);
    const auto options = dhcp::draft_v6_options(resolver);
    if (!options) return options.error();
    std::vector<Buffer> octets;
    for (const dhcp::V6Option& option : *options) {
        Writer out;
        dhcp::write(out, option);
        Result<Buffer> one = out.take();
        if (!one) return one.error();
        octets.push_back(*std::move(one));
    }
    return octets;
}

}  // namespace

Result<std::vector<ResolverRecord>> decode_draft(Carrier carrier, std::span<const Buffer> octets) {
    Buffer all;
    for (const Buffer& part : octets) all.insert(all.end(), part.begin(), part.end());
    if (all.empty()) return Error{Errc::malformed, "the draft's options: there is none"};
    const Result<Resolvers> resolvers = carrier == Carrier::dhcpv4   ? decode_v4(all)
                                        : carrier == Carrier::dhcpv6 ? decode_v6(all)
                                                                     : decode_ra(all);
    if (!resolvers) return resolvers.error();
    std::vector<ResolverRecord> records;
    for (const dns::DraftResolver& resolver : *resolvers) records.push_back(record_of(resolver));
    return records;
}

Result<std::vector<Buffer>> write_draft(Carrier carrier, std::span<const ResolverRecord> records) {
    std::vector<Buffer> options;
    Writer joined;
    for (const ResolverRecord& record : records) {
        const dns::DraftResolver resolver = resolver_of(record);
        if (carrier == Carrier::dhcpv4) {
            dhcp::write(joined, dhcp::v4_enc_dns(resolver));
            continue;
        }
        const Result<std::vector<Buffer>> own = options_of(carrier, resolver);
        if (!own) return own.error();
        options.insert(options.end(), own->begin(), own->end());
    }
    if (carrier != Carrier::dhcpv4 || records.empty()) return options;
    Result<Buffer> payload = joined.take();
    if (!payload) return payload.error();
    return std::vector<Buffer>{*std::move(payload)};
}

}  // namespace porchlight::agent
