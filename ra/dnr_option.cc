#include "ra/dnr_option.h"

#include <algorithm>

#include "core/reader.h"

namespace porchlight::ra {
namespace {

constexpr std::size_t unit_octets = 8;  // of the Length field, RFC 4861 section 4.6

}  // namespace

bool only_padding_left(Reader in) {
    if (in.size() >= unit_octets) return false;
    const Bytes padding = in.rest();
    return std::all_of(padding.begin(), padding.end(),
                       [](std::uint8_t octet) { return octet == 0; });
}

Result<DnrOption> parse_dnr_option(Bytes option) {
    Reader in(option);
    DnrOption dnr;
    if (in.u8() != dnr_option_type) in.fail("is of another type");
    if (in.u8() * unit_octets != option.size()) in.fail("has a Length that is not its own");
    dnr.priority = in.u16();
    dnr.lifetime = std::chrono::seconds(in.u32());
    in.counted_u16([&](Reader& part) { dnr.adn = dns::read_adn(part); });
    if (!only_padding_left(in)) {
        in.counted_u16([&](Reader& part) { dnr.addresses = dns::read_addresses<Ipv6>(part); });
        in.counted_u16([&](Reader& part) { dnr.params = dns::read_dnr_params(part); });
    }
    if (!only_padding_left(in)) in.fail("has padding that is too long or not zero");
    (void)in.rest();
    if (!in.finished()) return in.error("RA option 144");
    return dnr;
}

void write(Writer& out, const DnrOption& dnr) {
    const std::size_t start = out.size();
    out.u8(dnr_option_type);
    out.u8(0);
    out.u16(dnr.priority);
    out.u32(static_cast<std::uint32_t>(dnr.lifetime.count()));
    out.counted_u16([&] { dns::write(out, dnr.adn); });
    if (!dnr.addresses.empty()) {
        out.counted_u16([&] { dns::write_addresses(out, dnr.addresses); });
        out.counted_u16([&] { dns::write(out, dnr.params); });
    }
    while ((out.size() - start) % unit_octets != 0) out.u8(0);
    out.patch_u8(start + 1, (out.size() - start) / unit_octets);
}

DnrOption dnr_option(const dns::EncryptedResolver& resolver, std::chrono::seconds lifetime) {
    return {resolver.priority, lifetime, resolver.adn, dns::announceable<Ipv6>(resolver),
            resolver.params};
}

dns::EncryptedResolver resolver_of(const DnrOption& dnr) {
    return {dnr.priority, dnr.adn, {dnr.addresses.begin(), dnr.addresses.end()}, dnr.params};
}

std::optional<std::string> why_not_usable(const DnrOption& dnr) {
    if (dnr.lifetime == std::chrono::seconds(0)) return "withdrawn";
    return dns::why_not_usable(resolver_of(dnr));
}

Encoded encode(std::span<const dns::EncryptedResolver> resolvers, std::chrono::seconds lifetime,
               std::size_t room) {
    Encoded encoded;
    for (const auto& resolver : dns::by_priority({resolvers.begin(), resolvers.end()})) {
        Result<Buffer> option =
            dns::encode_checked(resolver, dnr_option(resolver, lifetime), parse_dnr_option);
        if (option && option->size() > room)
            option = Error{Errc::refused, "its " + std::to_string(option->size()) +
                                              " octets do not fit into one advertisement"};
        if (option) {
            encoded.options.push_back(std::move(*option));
        } else {
            encoded.left_out.push_back({resolver.priority, resolver.adn, option.error().message});
        }
    }
    return encoded;
}

}  // namespace porchlight::ra
