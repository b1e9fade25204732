#include "dhcp/draft_v4.h"

#include "core/reader.h"

namespace porchlight::dhcp {
namespace {

V4EncDns read_instance(Reader& in) {
    V4EncDns instance;
    instance.flags = dns::read_draft_flags(in);
    const std::size_t count = in.u8();
    instance.port = in.u16();
    instance.addresses = dns::read_addresses<Ipv4>(in, count);
    instance.adn = dns::read_adn(in);
    return instance;
}

}  // namespace

Result<std::vector<V4EncDns>> parse_v4_enc_dns(Bytes payload) {
    Reader in(payload);
    std::vector<V4EncDns> instances;
    do {
        instances.push_back(read_instance(in));
    } while (!in.empty());
    if (!in.finished()) return in.error("OPTION_V4_ENC_DNS");
    return instances;
}

void write(Writer& out, const V4EncDns& instance) {
    out.u8(instance.flags);
    const std::size_t count_at = out.size();
    out.u8(0);
    out.patch_u8(count_at, instance.addresses.size());
    out.u16(instance.port);
    dns::write_addresses(out, instance.addresses);
    dns::write(out, instance.adn);
}

V4EncDns v4_enc_dns(const dns::DraftResolver& resolver) {
    return {resolver.flags, resolver.port, dns::of_family<Ipv4>(resolver.addresses),
            resolver.adn.value_or(dns::Name())};
}

dns::DraftResolver draft_resolver_of(const V4EncDns& instance) {
    return {instance.adn,
            instance.flags,
            instance.port,
            {instance.addresses.begin(), instance.addresses.end()},
            {},
            {}};
}

Result<Buffer> encode_checked(const V4EncDns& instance) {
    Writer out;
    write(out, instance);
    Result<Buffer> octets = out.take();
    if (!octets) return octets;
    const auto parsed = parse_v4_enc_dns(*octets);
    if (!parsed) return parsed.error();
    if (*parsed != std::vector{instance}) return dns::reads_differently();
    return octets;
}

EncodedV4 encode_draft_v4(std::span<const dns::EncryptedResolver> resolvers, std::size_t room) {
    EncodedV4 encoded;
    dns::DraftOffers found = dns::draft_offers<Ipv4>(resolvers);
    encoded.left_out = std::move(found.left_out);
    for (const auto& [priority, resolver] : found.offers) {
        const std::size_t left = room - encoded.payload.size();
        Result<Buffer> octets = encode_checked(v4_enc_dns(resolver));
        if (octets && octets->size() > left) octets = dns::does_not_fit(octets->size(), left);
        if (octets) {
            encoded.payload.insert(encoded.payload.end(), octets->begin(), octets->end());
        } else {
            encoded.left_out.push_back({priority, *resolver.adn, octets.error().message});
        }
    }
    return encoded;
}

}  // namespace porchlight::dhcp
