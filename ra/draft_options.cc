#include "ra/draft_options.h"

#include "core/reader.h"
#include "ra/dnr_option.h"

namespace porchlight::ra {
namespace {

constexpr std::size_t unit_octets = 8;  // of the Length field, RFC 4861 section 4.6

void read_type_and_length(Reader& in, std::uint8_t& type) {
    const std::size_t whole = in.size();
    type = in.u8();
    if (in.u8() * unit_octets != whole) in.fail("has a Length that is not its own");
}

void read_padding(Reader& in) {
    if (!only_padding_left(in)) in.fail("has padding that is too long or not zero");
    (void)in.rest();
}

void write_lifetime(Writer& out, std::chrono::seconds lifetime) {
    out.u32(static_cast<std::uint32_t>(lifetime.count()));
}

/// Writes what `body` writes, padded with zeros, behind its type and length.
template <class Body>
void write_option(Writer& out, std::uint8_t type, Body body) {
    const std::size_t start = out.size();
    out.u8(type);
    out.u8(0);
    body();
    while ((out.size() - start) % unit_octets != 0) out.u8(0);
    out.patch_u8(start + 1, (out.size() - start) / unit_octets);
}

std::vector<Buffer> flat(std::span<const std::vector<Buffer>> groups) {
    std::vector<Buffer> options;
    for (const auto& group : groups) options.insert(options.end(), group.begin(), group.end());
    return options;
}

/// The options of one resolver more, if a host reads in all of them what was meant.
Result<std::vector<Buffer>> group_beside(std::span<const std::vector<Buffer>> groups,
                                         const dns::DraftResolver& resolver, std::size_t room,
                                         const dns::DraftCodePoints& codes) {
    Result<std::vector<Buffer>> own = draft_options(resolver, codes);
    if (!own) return own;
    std::vector<Buffer> options = flat(groups);
    std::vector<dns::DraftResolver> meant = read_draft(options, codes).resolvers;
    meant.push_back(resolver);
    std::size_t size = 0;
    for (const Buffer& option : *own) {
        size += option.size();
        options.push_back(option);
    }
    if (size > room) return dns::does_not_fit(size, room);
    const DraftReceived received = read_draft(options, codes);
    if (!received.malformed.empty()) return received.malformed.front();
    if (received.resolvers != meant) return dns::reads_differently();
    return own;
}

}  // namespace

Result<RaEncAdn> parse_ra_enc_adn(Bytes option) {
    Reader in(option);
    RaEncAdn enc;
    read_type_and_length(in, enc.type);
    enc.flags = dns::read_draft_flags(in);
    in.u8();  // unassigned
    enc.lifetime = std::chrono::seconds(in.u32());
    enc.adn = dns::read_adn(in);
    read_padding(in);
    if (!in.finished()) return in.error("RA Encrypted DNS ADN option");
    return enc;
}

void write(Writer& out, const RaEncAdn& enc) {
    write_option(out, enc.type, [&] {
        out.u8(enc.flags);
        out.u8(0);
        write_lifetime(out, enc.lifetime);
        dns::write(out, enc.adn);
    });
}

Result<RaEncAddresses> parse_ra_enc_addresses(Bytes option) {
    Reader in(option);
    RaEncAddresses enc;
    read_type_and_length(in, enc.type);
    in.u16();  // unassigned
    enc.lifetime = std::chrono::seconds(in.u32());
    enc.flags = dns::read_draft_flags(in);
    in.u8();  // unassigned
    enc.port = in.u16();
    enc.addresses = dns::read_addresses<Ipv6>(in, in.size() / sizeof(Ipv6::octets));
    read_padding(in);  // 4 octets: 12 are the only other remainder of a Length
    if (!in.finished()) return in.error("RA Encrypted DNS Address option");
    return enc;
}

void write(Writer& out, const RaEncAddresses& enc) {
    write_option(out, enc.type, [&] {
        out.u16(0);
        write_lifetime(out, enc.lifetime);
        out.u8(enc.flags);
        out.u8(0);
        out.u16(enc.port);
        dns::write_addresses(out, enc.addresses);
    });
}

DraftReceived read_draft(std::span<const Buffer> options, const dns::DraftCodePoints& codes) {
    DraftReceived received;
    std::vector<dns::DraftName> names;
    std::vector<dns::DraftAddresses> addresses;
    for (const Buffer& option : options) {
        const std::uint8_t type = option.empty() ? std::uint8_t{0} : option.front();
        if (type == codes.ra_adn) {
            const auto enc = parse_ra_enc_adn(option);
            if (enc)
                names.push_back({enc->flags, enc->adn, enc->lifetime});
            else
                received.malformed.push_back(enc.error());
        } else if (type == codes.ra_addresses) {
            const auto enc = parse_ra_enc_addresses(option);
            if (enc)
                addresses.push_back({enc->flags,
                                     enc->port,
                                     {enc->addresses.begin(), enc->addresses.end()},
                                     enc->lifetime});
            else
                received.malformed.push_back(enc.error());
        }
    }
    received.resolvers = dns::paired(names, addresses);
    return received;
}

Result<std::vector<Buffer>> draft_options(const dns::DraftResolver& resolver,
                                          const dns::DraftCodePoints& codes) {
    const auto lifetime = resolver.lifetime.value_or(std::chrono::seconds(0));
    std::vector<Buffer> options;
    const auto add = [&](const auto& option) -> Result<void> {
        Writer out;
        write(out, option);
        Result<Buffer> octets = out.take();
        if (!octets) return octets.error();
        options.push_back(*std::move(octets));
        return {};
    };
    Result<void> added;
    if (resolver.adn) added = add(RaEncAdn{codes.ra_adn, resolver.flags, lifetime, *resolver.adn});
    if (added && !resolver.addresses.empty())
        added = add(RaEncAddresses{codes.ra_addresses, lifetime, resolver.flags, resolver.port,
                                   dns::of_family<Ipv6>(resolver.addresses)});
    if (!added) return added.error();
    return options;
}

EncodedDraft encode_draft(std::span<const dns::EncryptedResolver> resolvers,
                          std::chrono::seconds lifetime, std::size_t room,
                          const dns::DraftCodePoints& codes) {
    EncodedDraft encoded;
    dns::DraftOffers found = dns::draft_offers<Ipv6>(resolvers);
    encoded.left_out = std::move(found.left_out);
    for (auto& [priority, resolver] : found.offers) {
        resolver.lifetime = lifetime;
        resolver.templates.clear();  // there is no option for them here; hosts ask by DDR
        Result<std::vector<Buffer>> group = group_beside(encoded.groups, resolver, room, codes);
        if (group)
            encoded.groups.push_back(*std::move(group));
        else
            encoded.left_out.push_back({priority, *resolver.adn, group.error().message});
    }
    return encoded;
}

}  // namespace porchlight::ra
