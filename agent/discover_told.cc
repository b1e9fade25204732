#include "agent/discover_told.h"

#include <algorithm>

#include "core/reader.h"
#include "dhcp/v4_dnr.h"
#include "dhcp/v6_dnr.h"
#include "dns/draft_resolver.h"
#include "dns/encrypted_resolver.h"
#include "ra/dnr_option.h"
#include "ra/options.h"
#include "ra/told_resolvers.h"

namespace porchlight::agent::discover {
namespace {

/// Code points of the draft's options, which nobody assigned: those that we would use ourselves.
constexpr dns::DraftCodePoints draft_codes;

using Lifetime = std::optional<std::chrono::seconds>;

Offer offer_of(Carrier carrier, dns::Format format, Buffer octets, Lifetime lifetime = {}) {
    Offer offer{format, std::move(octets), std::nullopt, {}};
    const std::vector<Buffer> options{offer.octets};
    auto resolvers = resolvers_of_options(carrier, options, {format, draft_codes});
    if (!resolvers) {
        offer.malformed = resolvers.error().message;
        return offer;
    }
    for (ResolverRecord& one : *resolvers) {
        if (!one.lifetime) one.lifetime = lifetime;
        offer.resolvers.push_back({std::move(one)});
    }
    return offer;
}

template <class Address>
std::vector<IpAddress> addresses_in(Bytes octets) {
    std::vector<IpAddress> found;
    Reader in(octets);
    Address address;
    while (in.size() >= address.octets.size()) {
        for (std::uint8_t& octet : address.octets) octet = in.u8();
        if (is_receivable(address)) found.emplace_back(address);
    }
    return found;
}

Lifetime lifetime_in(Bytes data) {
    if (data.size() != sizeof(std::uint32_t)) return std::nullopt;
    return std::chrono::seconds(Reader(data).u32());
}

bool is_draft(const dhcp::V6Option& option) {
    return option.code == draft_codes.dhcpv6_adn || option.code == draft_codes.dhcpv6_addresses ||
           option.code == draft_codes.dhcpv6_templates;
}

bool is_draft(const Buffer& nd_option) {
    return nd_option[0] == draft_codes.ra_adn || nd_option[0] == draft_codes.ra_addresses;
}

template <class Item>
void add_new(std::vector<Item>& all, const std::vector<Item>& more) {
    for (const Item& one : more)
        if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
}

/// What makes two offers of one sender the same, told again: everything but how long it lasts.
Buffer identity(Carrier carrier, const Offer& offer) {
    return carrier == Carrier::ra ? ra::withdrawn(offer.octets) : offer.octets;
}

}  // namespace

Told told_by(const dhcp::V4Message& answer, Sender from) {
    Told told{Carrier::dhcpv4, std::move(from), {}, {}, {}};
    told.plain = addresses_in<Ipv4>(answer.option(dhcp::v4_code::dns_servers));
    const Lifetime lifetime = lifetime_in(answer.option(dhcp::v4_code::lease_time));
    const auto read = [&](std::uint8_t code, dns::Format format) {
        const auto found = answer.options.find(code);
        if (found != answer.options.end())
            told.offers.push_back(offer_of(Carrier::dhcpv4, format, found->second, lifetime));
    };
    read(dhcp::v4_dnr_code, dns::Format::rfc9463);
    read(draft_codes.dhcpv4, dns::Format::draft_btw_11);
    return told;
}

Told told_by(const dhcp::V6Message& answer, Sender from) {
    Told told{Carrier::dhcpv6, std::move(from), {}, {}, {}};
    const dhcp::V6Option* refresh = answer.option(dhcp::v6_code::information_refresh_time);
    const Lifetime lifetime = refresh == nullptr ? Lifetime() : lifetime_in(refresh->data);
    Writer drafts;
    for (const dhcp::V6Option& option : answer.options) {
        if (option.code == dhcp::v6_code::dns_servers)
            add_new(told.plain, addresses_in<Ipv6>(option.data));
        if (option.code == dhcp::v6_dnr_code && told.offers.size() < offers_max)
            told.offers.push_back(
                offer_of(Carrier::dhcpv6, dns::Format::rfc9463, option.data, lifetime));
        if (is_draft(option)) write(drafts, option);
    }
    if (drafts.size() > 0)
        told.offers.push_back(offer_of(Carrier::dhcpv6, dns::Format::draft_btw_11,
                                       {drafts.view().begin(), drafts.view().end()}, lifetime));
    return told;
}

Told told_by(const ra::Advertisement& advertisement, Sender from) {
    Told told{Carrier::ra, std::move(from), {}, {}, {}};
    Buffer drafts;
    for (const Buffer& option : advertisement.options) {
        const bool stands = !ra::can_be_withdrawn(option) || ra::lifetime(option).count() > 0;
        if (option[0] == ra::rdnss_option_type && stands)
            for (const Ipv6& address : ra::rdnss_addresses(option))
                if (is_receivable(address)) add_new(told.plain, {IpAddress(address)});
        if (option[0] == ra::dnr_option_type && told.offers.size() < offers_max)
            told.offers.push_back(offer_of(Carrier::ra, dns::Format::rfc9463, option));
        if (is_draft(option)) drafts.insert(drafts.end(), option.begin(), option.end());
    }
    if (!drafts.empty())
        told.offers.push_back(offer_of(Carrier::ra, dns::Format::draft_btw_11, std::move(drafts)));
    return told;
}

void add(std::vector<Told>& all, Told told) {
    const auto same = std::find_if(all.begin(), all.end(), [&](const Told& one) {
        return one.carrier == told.carrier && one.from.address == told.from.address;
    });
    if (same == all.end()) {
        if (all.size() < senders_max) all.push_back(std::move(told));
        return;
    }
    if (same->from.hardware_address.empty())
        same->from.hardware_address = std::move(told.from.hardware_address);
    add_new(same->plain, told.plain);
    for (Offer& offer : told.offers) {
        const auto before =
            std::find_if(same->offers.begin(), same->offers.end(), [&](const Offer& one) {
                return identity(told.carrier, one) == identity(told.carrier, offer);
            });
        if (before != same->offers.end())
            *before = std::move(offer);
        else if (same->offers.size() < offers_max)
            same->offers.push_back(std::move(offer));
    }
}

std::string_view title(Carrier carrier) {
    switch (carrier) {
        case Carrier::dhcpv4:
            return "DHCPv4";
        case Carrier::dhcpv6:
            return "DHCPv6";
        case Carrier::ra:
            return "RA";
        case Carrier::svcb:
            break;
    }
    return "DDR";
}

std::string_view name(Carrier carrier) {
    switch (carrier) {
        case Carrier::dhcpv4:
            return "dhcpv4";
        case Carrier::dhcpv6:
            return "dhcpv6";
        case Carrier::ra:
            return "ra";
        case Carrier::svcb:
            break;
    }
    return "svcb";
}

std::vector<std::string> remarks(Carrier carrier, const ResolverRecord& resolver) {
    std::vector<std::string> all;
    const dns::SvcParams& params = resolver.params;
    if (carrier == Carrier::svcb) return all;
    if (resolver.addresses.empty()) {
        all.emplace_back("systemd passes it over: it has a name and no address");
        return all;
    }
    if (!params.mandatory.empty()) all.emplace_back("systemd refuses it: it lists mandatory keys");
    if (params.dohpath && !dns::is_plain_dohpath(*params.dohpath))
        all.emplace_back(carrier == Carrier::dhcpv4
                             ? "systemd refuses the whole option: a character in its dohpath"
                             : "systemd refuses it: a character in its dohpath");
    const auto speaks = [&](std::string_view id) {
        return std::find(params.alpn.begin(), params.alpn.end(), id) != params.alpn.end();
    };
    if (!params.alpn.empty() && !speaks("dot"))
        all.emplace_back("systemd has no use for it: it speaks DNS over TLS alone");
    if (resolver.priority == std::uint16_t(0) && carrier == Carrier::dhcpv6)
        all.emplace_back("systemd uses it all the same");
    return all;
}

}  // namespace porchlight::agent::discover
