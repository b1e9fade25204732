#include "agent/option_codecs.h"

#include <algorithm>
#include <utility>

#include "agent/draft_codecs.h"
#include "agent/option_refusals.h"
#include "agent/resolver_json.h"
#include "core/writer.h"
#include "dhcp/v4_dnr.h"
#include "dhcp/v6_dnr.h"
#include "dns/svcb.h"
#include "ra/dnr_option.h"

namespace porchlight::agent {
namespace {

using Records = std::vector<ResolverRecord>;

ResolverRecord record_of(dns::EncryptedResolver resolver) {
    ResolverRecord record;
    record.why_not_usable = dns::why_not_usable(resolver);
    record.priority = resolver.priority;
    record.adn = std::move(resolver.adn);
    record.addresses = std::move(resolver.addresses);
    record.params = std::move(resolver.params);
    return record;
}

dns::EncryptedResolver resolver_of(const ResolverRecord& record) {
    return {record.priority.value_or(0), record.adn.value_or(dns::Name()), record.addresses,
            record.params};
}

bool is_rfc(Carrier carrier, const OptionForm& form) {
    return form.format == dns::Format::rfc9463 || carrier == Carrier::svcb;
}

Buffer joined(std::span<const Buffer> pieces) {
    Buffer whole;
    for (const Buffer& piece : pieces) whole.insert(whole.end(), piece.begin(), piece.end());
    return whole;
}

Result<Records> decode_v4(Bytes payload) {
    Result<dhcp::V4Dnr> dnr = dhcp::parse_v4_dnr(payload);
    if (!dnr) return dnr.error();
    Records records;
    for (const auto& instance : *dnr) records.push_back(record_of(resolver_of(instance)));
    return records;
}

Result<ResolverRecord> decode_v6(Bytes option) {
    Result<dhcp::V6Dnr> dnr = dhcp::parse_v6_dnr(option);
    if (!dnr) return dnr.error();
    return record_of(resolver_of(*dnr));
}

Result<ResolverRecord> decode_ra(Bytes option) {
    Result<ra::DnrOption> dnr = ra::parse_dnr_option(option);
    if (!dnr) return dnr.error();
    ResolverRecord record = record_of(resolver_of(*dnr));
    record.lifetime = dnr->lifetime;
    record.why_not_usable = ra::why_not_usable(*dnr);
    return record;
}

Result<ResolverRecord> decode_svcb(Bytes rdata) {
    Result<dns::Svcb> svcb = dns::parse_svcb(rdata);
    if (!svcb) return svcb.error();
    ResolverRecord record;
    record.why_not_usable = dns::why_not_usable(*svcb);
    record.priority = svcb->priority;
    record.adn = std::move(svcb->target);
    record.params = std::move(svcb->params);
    return record;
}

Error too_long(std::size_t octets) {
    return {Errc::malformed,
            std::to_string(octets) + " octets are more than an option has room for"};
}

Result<ResolverRecord> decode_one(Carrier carrier, Bytes option) {
    if (option.size() > option_octets_max) return too_long(option.size());
    if (carrier == Carrier::dhcpv6) return decode_v6(option);
    return carrier == Carrier::ra ? decode_ra(option) : decode_svcb(option);
}

Result<Records> decode_rfc(Carrier carrier, std::span<const Buffer> options) {
    if (carrier == Carrier::dhcpv4) {
        const Buffer payload = joined(options);
        if (payload.size() > option_octets_max) return too_long(payload.size());
        return decode_v4(payload);
    }
    Records records;
    for (const Buffer& option : options) {
        Result<ResolverRecord> record = decode_one(carrier, option);
        if (!record) return record.error();
        records.push_back(*std::move(record));
    }
    return records;
}

void write(Writer& out, Carrier carrier, const ResolverRecord& record) {
    const dns::EncryptedResolver resolver = resolver_of(record);
    switch (carrier) {
        // With every address, also one that is heard but never announced.
        case Carrier::dhcpv4: {
            dhcp::V4DnrInstance instance = dhcp::v4_dnr_instance(resolver);
            instance.addresses = dns::of_family<Ipv4>(resolver.addresses);
            return dhcp::write(out, instance);
        }
        case Carrier::dhcpv6: {
            dhcp::V6Dnr dnr = dhcp::v6_dnr(resolver);
            dnr.addresses = dns::of_family<Ipv6>(resolver.addresses);
            return dhcp::write(out, dnr);
        }
        case Carrier::ra: {
            const auto lifetime = record.lifetime.value_or(std::chrono::seconds(0));
            ra::DnrOption dnr = ra::dnr_option(resolver, lifetime);
            dnr.addresses = dns::of_family<Ipv6>(resolver.addresses);
            return ra::write(out, dnr);
        }
        case Carrier::svcb:
            return dns::write(out, dns::Svcb{resolver.priority, resolver.adn, resolver.params});
    }
}

std::size_t octets_max(Carrier carrier) {
    return carrier == Carrier::ra ? ra::dnr_option_octets_max : option_octets_max;
}

Error no_room(std::size_t at, std::size_t octets, Carrier carrier) {
    return refused_at(pointer("", at), std::to_string(octets) + " octets are more than the " +
                                           std::to_string(octets_max(carrier)) +
                                           " that an option has room for");
}

Result<std::vector<Buffer>> write_rfc(Carrier carrier, const Records& records) {
    std::vector<Buffer> options;
    for (std::size_t i = 0; i < records.size(); ++i) {
        Writer out;
        write(out, carrier, records[i]);
        if (out.size() > octets_max(carrier)) return no_room(i, out.size(), carrier);
        Result<Buffer> option = out.take();
        if (!option) return option.error();
        options.push_back(*std::move(option));
    }
    return options;
}

Result<Records> decode(Carrier carrier, const OptionForm& form, std::span<const Buffer> options) {
    if (is_rfc(carrier, form)) return decode_rfc(carrier, options);
    const Buffer octets = joined(options);
    if (carrier == Carrier::dhcpv4 && octets.size() > option_octets_max)
        return too_long(octets.size());
    return decode_draft(carrier, octets, form.code_points);
}

/// DHCPv4 has one option for all, in pieces where it is long.
Result<std::vector<Buffer>> as_one(const std::vector<Buffer>& instances) {
    Buffer payload;
    for (std::size_t i = 0; i < instances.size(); ++i) {
        payload.insert(payload.end(), instances[i].begin(), instances[i].end());
        if (payload.size() > option_octets_max) return no_room(i, payload.size(), Carrier::dhcpv4);
    }
    return std::vector<Buffer>{std::move(payload)};
}

/// What came back, without the judgement on it, which the JSON need not have.
Records said(Records records) {
    for (ResolverRecord& record : records) record.why_not_usable.reset();
    return records;
}

/// The last net: options leave only if a reader makes of them what was asked for. In the draft
/// each of two resolvers may be told well and both together not.
Result<void> compare(Carrier carrier, const OptionForm& form, const Records& asked,
                     const std::vector<Buffer>& options) {
    const Result<Records> decoded = decode(carrier, form, options);
    if (!decoded) return decoded.error();
    if (said(asked) == said(*decoded)) return {};
    if (is_rfc(carrier, form) || asked.size() == 1) return dns::reads_differently();
    const auto [first, other] =
        std::mismatch(asked.begin(), asked.end(), decoded->begin(), decoded->end(),
                      [](const auto& a, const auto& b) { return said({a}) == said({b}); });
    const auto at =
        std::min<std::size_t>(static_cast<std::size_t>(first - asked.begin()), asked.size() - 1);
    return refused_at(pointer("", at),
                      "a reader would mix its options with another resolver's: in this carrier "
                      "nothing but protocols, name and port tells which belong together");
}

}  // namespace

std::optional<Carrier> parse_carrier(std::string_view text) {
    if (text == "dhcpv4") return Carrier::dhcpv4;
    if (text == "dhcpv6") return Carrier::dhcpv6;
    if (text == "ra") return Carrier::ra;
    if (text == "svcb") return Carrier::svcb;
    return std::nullopt;
}

std::optional<dns::Format> parse_option_format(std::string_view text) {
    if (text == "rfc9463") return dns::Format::rfc9463;
    if (text == "draft-btw-11") return dns::Format::draft_btw_11;
    return std::nullopt;
}

Result<std::vector<ResolverRecord>> resolvers_of_options(Carrier carrier,
                                                         std::span<const Buffer> options,
                                                         const OptionForm& form) {
    return decode(carrier, form, options);
}

Result<std::string> decode_options(Carrier carrier, std::span<const Buffer> options,
                                   const OptionForm& form) {
    const Result<Records> records = decode(carrier, form, options);
    if (!records) return records.error();
    return resolvers_to_json(*records);
}

Result<std::vector<Buffer>> encode_options(Carrier carrier, std::string_view json,
                                           const OptionForm& form) {
    const Result<Records> records = resolvers_from_json(json);
    if (!records) return records.error();
    if (auto why = why_not_encodable(carrier, form.format, *records)) return *std::move(why);
    auto options = is_rfc(carrier, form) ? write_rfc(carrier, *records)
                                         : write_draft(carrier, *records, form.code_points);
    if (!options || options->empty()) return options;
    if (carrier == Carrier::dhcpv4) options = as_one(*options);
    if (!options) return options;
    if (auto same = compare(carrier, form, *records, *options); !same) return same.error();
    return options;
}

}  // namespace porchlight::agent
