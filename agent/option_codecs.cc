#include "agent/option_codecs.h"

#include <utility>

#include "agent/draft_codecs.h"
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

Result<ResolverRecord> decode_one(Carrier carrier, Bytes option) {
    if (carrier == Carrier::dhcpv6) return decode_v6(option);
    return carrier == Carrier::ra ? decode_ra(option) : decode_svcb(option);
}

Result<Records> decode_rfc(Carrier carrier, std::span<const Buffer> options) {
    if (carrier == Carrier::dhcpv4) {
        Buffer payload;
        for (const Buffer& piece : options)
            payload.insert(payload.end(), piece.begin(), piece.end());
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
        case Carrier::dhcpv4:
            return dhcp::write(out, dhcp::v4_dnr_instance(resolver));
        case Carrier::dhcpv6:
            return dhcp::write(out, dhcp::v6_dnr(resolver));
        case Carrier::ra:
            return ra::write(
                out, ra::dnr_option(resolver, record.lifetime.value_or(std::chrono::seconds(0))));
        case Carrier::svcb:
            return dns::write(out, dns::Svcb{resolver.priority, resolver.adn, resolver.params});
    }
}

Result<std::vector<Buffer>> write_rfc(Carrier carrier, const Records& records) {
    std::vector<Buffer> options;
    Writer joined;
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto missing = [&](const char* member) {
            return Error{Errc::malformed,
                         "/" + std::to_string(i) + "/" + std::string(member) + " is missing"};
        };
        if (!records[i].priority) return missing("priority");
        if (!records[i].adn) return missing("adn");
        Writer own;
        Writer& out = carrier == Carrier::dhcpv4 ? joined : own;
        write(out, carrier, records[i]);
        if (carrier == Carrier::dhcpv4) continue;
        Result<Buffer> option = own.take();
        if (!option) return option.error();
        options.push_back(*std::move(option));
    }
    if (carrier != Carrier::dhcpv4 || records.empty()) return options;
    Result<Buffer> payload = joined.take();
    if (!payload) return payload.error();
    return std::vector<Buffer>{*std::move(payload)};
}

Result<Records> decode(Carrier carrier, dns::Format format, std::span<const Buffer> options) {
    const bool draft = format == dns::Format::draft_btw_11 && carrier != Carrier::svcb;
    return draft ? decode_draft(carrier, options) : decode_rfc(carrier, options);
}

/// Whether what came back is what was asked for, apart from the judgement on it.
bool says_the_same(Records asked, Records decoded) {
    for (Records* records : {&asked, &decoded})
        for (ResolverRecord& record : *records) record.why_not_usable.reset();
    return asked == decoded;
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

Result<std::string> decode_options(Carrier carrier, std::span<const Buffer> options,
                                   dns::Format format) {
    const Result<Records> records = decode(carrier, format, options);
    if (!records) return records.error();
    return resolvers_to_json(*records);
}

Result<std::vector<Buffer>> encode_options(Carrier carrier, std::string_view json,
                                           dns::Format format) {
    const Result<Records> records = resolvers_from_json(json);
    if (!records) return records.error();
    const bool draft = format == dns::Format::draft_btw_11 && carrier != Carrier::svcb;
    const auto options = draft ? write_draft(carrier, *records) : write_rfc(carrier, *records);
    if (!options || options->empty()) return options;
    const Result<Records> decoded = decode(carrier, format, *options);
    if (!decoded) return decoded.error();
    if (!says_the_same(*records, *decoded))
        return Error{Errc::refused,
                     "the carrier can't say just this: an address is of another family or of no "
                     "use, a member is missing or out of place, or parameters lack an address"};
    return options;
}

}  // namespace porchlight::agent
