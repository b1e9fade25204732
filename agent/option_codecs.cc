#include "agent/option_codecs.h"

#include <utility>

#include "agent/resolver_json.h"
#include "core/reader.h"
#include "core/writer.h"
#include "dhcp/v4_dnr.h"
#include "dhcp/v6_dnr.h"
#include "ra/dnr_option.h"

namespace porchlight::agent {
namespace {

using Records = std::vector<ResolverRecord>;

ResolverRecord record_of(dns::EncryptedResolver resolver) {
    auto why = dns::why_not_usable(resolver);
    return {std::move(resolver), std::nullopt, std::move(why)};
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
    Reader in(rdata);
    dns::EncryptedResolver resolver;
    resolver.priority = in.u16();
    resolver.adn = dns::read_name(in);
    resolver.params = dns::read_svc_params(in);
    if (!in.finished()) return in.error("SVCB");
    auto why = resolver.priority == 0 ? dns::why_not_usable(resolver)
                                      : dns::why_not_usable(resolver.params);
    return ResolverRecord{std::move(resolver), std::nullopt, std::move(why)};
}

Result<ResolverRecord> decode_one(Carrier carrier, Bytes option) {
    if (carrier == Carrier::dhcpv6) return decode_v6(option);
    return carrier == Carrier::ra ? decode_ra(option) : decode_svcb(option);
}

Result<Records> decode(Carrier carrier, std::span<const Buffer> options) {
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
    const dns::EncryptedResolver& resolver = record.resolver;
    switch (carrier) {
        case Carrier::dhcpv4:
            return dhcp::write(out, dhcp::v4_dnr_instance(resolver));
        case Carrier::dhcpv6:
            return dhcp::write(out, dhcp::v6_dnr(resolver));
        case Carrier::ra:
            return ra::write(
                out, ra::dnr_option(resolver, record.lifetime.value_or(std::chrono::seconds(0))));
        case Carrier::svcb:
            out.u16(resolver.priority);
            dns::write(out, resolver.adn);
            dns::write(out, resolver.params);
    }
}

/// Whether what came back is what was asked for, apart from the judgement on it.
bool says_the_same(const Records& asked, const Records& decoded) {
    if (asked.size() != decoded.size()) return false;
    for (std::size_t i = 0; i < asked.size(); ++i)
        if (asked[i].resolver != decoded[i].resolver || asked[i].lifetime != decoded[i].lifetime)
            return false;
    return true;
}

}  // namespace

std::optional<Carrier> parse_carrier(std::string_view text) {
    if (text == "dhcpv4") return Carrier::dhcpv4;
    if (text == "dhcpv6") return Carrier::dhcpv6;
    if (text == "ra") return Carrier::ra;
    if (text == "svcb") return Carrier::svcb;
    return std::nullopt;
}

Result<std::string> decode_options(Carrier carrier, std::span<const Buffer> options) {
    const Result<Records> records = decode(carrier, options);
    if (!records) return records.error();
    return resolvers_to_json(*records);
}

Result<std::vector<Buffer>> encode_options(Carrier carrier, std::string_view json) {
    const Result<Records> records = resolvers_from_json(json);
    if (!records) return records.error();
    std::vector<Buffer> options;
    Writer joined;
    for (const ResolverRecord& record : *records) {
        Writer own;
        Writer& out = carrier == Carrier::dhcpv4 ? joined : own;
        write(out, carrier, record);
        if (carrier == Carrier::dhcpv4) continue;
        Result<Buffer> option = own.take();
        if (!option) return option.error();
        options.push_back(*std::move(option));
    }
    if (carrier == Carrier::dhcpv4 && !records->empty()) {
        Result<Buffer> payload = joined.take();
        if (!payload) return payload.error();
        options.push_back(*std::move(payload));
    }
    if (options.empty()) return options;
    const Result<Records> decoded = decode(carrier, options);
    if (!decoded) return decoded.error();
    if (!says_the_same(*records, *decoded))
        return Error{Errc::refused,
                     "the carrier can't say just this: an address is of another family or of no "
                     "use, a lifetime is missing or out of place, or parameters lack an address"};
    return options;
}

}  // namespace porchlight::agent
