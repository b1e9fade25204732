#include "ra/full.h"

#include <algorithm>

#include "net/link.h"
#include "ra/rdnss_option.h"

namespace porchlight::ra {
namespace {

constexpr unsigned prefix_bits = 8 * 16;
constexpr unsigned slaac_prefix_bits = 64;      // RFC 4291 section 2.5.1, RFC 4862
constexpr std::uint8_t on_link_flag = 0x80;     // RFC 4861 section 4.6.2
constexpr std::uint8_t autonomous_flag = 0x40;  // RFC 4862
constexpr std::size_t dnssl_octets_max = 1024;  // of one option; more names make more options

Prefix prefix_of(Ipv6 address, unsigned length) {
    for (unsigned bit = length; bit < prefix_bits; ++bit)
        address.octets[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
    return {address, length};
}

Clock::time_point until(Clock::time_point read_at, std::optional<std::chrono::seconds> left) {
    return left ? read_at + *left : LinkFacts::for_ever;
}

/// Whole seconds that are left at `now`, at most `most`.
std::chrono::seconds left(Clock::time_point until, Clock::time_point now,
                          std::chrono::seconds most) {
    if (until <= now) return std::chrono::seconds(0);
    if (until - now >= most) return most;
    return std::chrono::floor<std::chrono::seconds>(until - now);
}

void write_seconds(Writer& out, std::chrono::seconds value) {
    out.u32(static_cast<std::uint32_t>(value.count()));
}

/// An option of `type` whose body is what `body` writes, padded with zeros.
template <class Body>
Buffer option_of(std::uint8_t type, Body body) {
    Writer out;
    out.u8(type);
    out.u8(0);
    body(out);
    out.zeros((option_unit_octets - out.size() % option_unit_octets) % option_unit_octets);
    out.patch_u8(1, out.size() / option_unit_octets);
    return std::move(*out.take());
}

/// RFC 4191 section 2.1. A router that is no default router has no preference (section 2.2).
std::uint8_t preference_bits(const FullSettings& settings) {
    if (settings.router_lifetime.count() == 0) return 0;
    switch (settings.preference) {
        case FullSettings::Preference::high:
            return 0x08;
        case FullSettings::Preference::low:
            return 0x18;
        case FullSettings::Preference::medium:
            break;
    }
    return 0;
}

/// RFC 4861 section 4.6.2.
Buffer prefix_option(const FullSettings& settings, const LinkFacts::OwnPrefix& own,
                     Clock::time_point now) {
    const auto valid = left(own.valid_until, now, settings.valid_lifetime_max);
    const auto preferred =
        std::min(valid, left(own.preferred_until, now, settings.preferred_lifetime_max));
    return option_of(prefix_option_type, [&](Writer& out) {
        out.u8(static_cast<std::uint8_t>(own.prefix.length));
        out.u8(own.prefix.length == slaac_prefix_bits ? on_link_flag | autonomous_flag
                                                      : on_link_flag);
        write_seconds(out, valid);
        write_seconds(out, preferred);
        out.u32(0);
        out.bytes(own.prefix.address);
    });
}

/// RFC 4191 section 2.3: as much of the prefix as it needs.
Buffer route_option(const Prefix& route, std::chrono::seconds lifetime) {
    return option_of(route_option_type, [&](Writer& out) {
        out.u8(static_cast<std::uint8_t>(route.length));
        out.u8(0);
        write_seconds(out, lifetime);
        const std::size_t octets = (route.length + 63) / 64 * 8;
        out.bytes(Bytes(route.address).first(octets));
    });
}

Buffer rdnss_option(const FullSettings& settings) {
    Writer out;
    write(out, RdnssOption{settings.dns_lifetime, settings.rdnss});
    const Bytes octets = out.view();
    return {octets.begin(), octets.end()};
}

/// RFC 8106 section 5.2. Takes the names it has room for off `names`.
Buffer dnssl_option(std::vector<dns::Name>& names, std::chrono::seconds lifetime) {
    return option_of(dnssl_option_type, [&](Writer& out) {
        out.u16(0);
        write_seconds(out, lifetime);
        std::size_t taken = 0;
        do dns::write(out, names[taken++]);
        while (taken < names.size() && out.size() + names[taken].wire().size() <= dnssl_octets_max);
        names.erase(names.begin(), names.begin() + std::ptrdiff_t(taken));
    });
}

}  // namespace

LinkFacts link_facts(const net::Link& link) {
    LinkFacts facts;
    facts.mtu_octets = link.mtu_octets;
    if (link.hardware_address.size() == 6) {
        facts.link_layer_address.emplace();
        std::copy(link.hardware_address.begin(), link.hardware_address.end(),
                  facts.link_layer_address->begin());
    }
    for (const net::LinkAddress& one : link.addresses) {
        const auto* address = std::get_if<Ipv6>(&one.address);
        if (address == nullptr || one.tentative) continue;
        if (is_link_local(*address)) {
            if (!facts.source) facts.source = *address;
            continue;
        }
        if (!is_announceable(*address) || one.prefix >= prefix_bits) continue;
        LinkFacts::OwnPrefix own{prefix_of(*address, one.prefix),
                                 until(link.read_at, one.preferred),
                                 until(link.read_at, one.valid)};
        if (one.deprecated) own.preferred_until = link.read_at;
        const auto same = std::find_if(
            facts.prefixes.begin(), facts.prefixes.end(),
            [&](const LinkFacts::OwnPrefix& other) { return other.prefix == own.prefix; });
        if (same == facts.prefixes.end()) {
            facts.prefixes.push_back(own);
        } else {
            same->preferred_until = std::max(same->preferred_until, own.preferred_until);
            same->valid_until = std::max(same->valid_until, own.valid_until);
        }
    }
    return facts;
}

RouterHeader router_header(const FullSettings& settings) {
    RouterHeader header;
    header.cur_hop_limit = settings.cur_hop_limit;
    header.flags = preference_bits(settings);
    if (settings.managed) header.flags |= RouterHeader::managed_flag;
    if (settings.other) header.flags |= RouterHeader::other_flag;
    header.router_lifetime = settings.router_lifetime;
    return header;
}

Advertisement compose_full(const FullSettings& settings, const LinkFacts& link,
                           Clock::time_point now) {
    Advertisement whole{router_header(settings), {}};
    NdOptions& options = whole.options;
    if (link.link_layer_address)
        options.push_back(option_of(source_link_layer_option_type,
                                    [&](Writer& out) { out.bytes(*link.link_layer_address); }));
    const std::uint32_t mtu = settings.mtu_octets != 0 ? settings.mtu_octets : link.mtu_octets;
    if (mtu != 0) {
        options.push_back(option_of(mtu_option_type, [&](Writer& out) {
            out.u16(0);
            out.u32(mtu);
        }));
    }
    for (const LinkFacts::OwnPrefix& own : link.prefixes)
        options.push_back(prefix_option(settings, own, now));
    for (const Prefix& route : settings.routes)
        options.push_back(route_option(route, settings.route_lifetime));
    if (!settings.rdnss.empty()) options.push_back(rdnss_option(settings));
    for (std::vector<dns::Name> names = settings.dnssl; !names.empty();)
        options.push_back(dnssl_option(names, settings.dns_lifetime));
    return whole;
}

}  // namespace porchlight::ra
