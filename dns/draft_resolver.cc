#include "dns/draft_resolver.h"

#include <algorithm>
#include <charconv>

#include "dns/blocked_ports.h"

namespace porchlight::dns {
namespace {

constexpr std::uint16_t doh_port = 443;
constexpr std::size_t priority_max = 0xffff;
constexpr std::string_view scheme = "https://";

std::uint8_t without(std::uint8_t flags, std::uint8_t these) {
    return static_cast<std::uint8_t>(flags & ~these);
}

/// A received option and which of its protocols have found a partner.
template <class Option>
struct Pending {
    const Option* option;
    std::uint8_t left;  // flags
};

template <class Option>
std::vector<Pending<Option>> pending(std::span<const Option> options) {
    std::vector<Pending<Option>> all;
    for (const Option& option : options) all.push_back({&option, option.flags});
    return all;
}

/// Of a name, of addresses and of a resolver alike.
bool is_withdrawn(const auto& told) {
    return told.lifetime == std::chrono::seconds(0);
}

std::optional<std::chrono::seconds> shorter(std::optional<std::chrono::seconds> a,
                                            std::optional<std::chrono::seconds> b) {
    return a && b ? std::min(a, b) : a;
}

DraftResolver joined(const DraftName& name, const DraftAddresses& found, std::uint8_t flags) {
    return {name.adn,        flags, found.port,
            found.addresses, {},    shorter(name.lifetime, found.lifetime)};
}

/// Whatever the case of its letters (RFC 3986 section 3.1).
bool starts_with_scheme(std::string_view text) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; };
    const std::string_view start = text.substr(0, scheme.size());
    return std::equal(scheme.begin(), scheme.end(), start.begin(), start.end(),
                      [&](char ours, char its) { return ours == lower(its); });
}

bool offers_at(const DraftResolver& resolver, const DohTemplate& at) {
    const std::uint16_t port = resolver.port == 0 ? doh_port : resolver.port;
    return (resolver.flags & draft_doh) != 0 && resolver.adn == at.host && port == at.port;
}

void hand_out(std::span<const std::string> templates, std::vector<DraftResolver>& resolvers) {
    std::vector<std::string> nobodys;
    for (const std::string& text : templates) {
        const auto at = parse_doh_template(text);
        const auto owner = std::find_if(
            resolvers.begin(), resolvers.end(),
            [&](const DraftResolver& resolver) { return at && offers_at(resolver, *at); });
        (owner == resolvers.end() ? nobodys : owner->templates).push_back(text);
    }
    if (!nobodys.empty())
        resolvers.push_back({std::nullopt, 0, 0, {}, std::move(nobodys), std::nullopt});
}

/// Takes up what `same` says in another way, if it is the same resolver.
bool absorb(DraftResolver& resolver, const DraftResolver& same) {
    if (resolver.adn != same.adn || resolver.port != same.port ||
        resolver.addresses != same.addresses)
        return false;
    resolver.flags |= same.flags;
    for (const std::string& text : same.templates)
        if (std::find(resolver.templates.begin(), resolver.templates.end(), text) ==
            resolver.templates.end())
            resolver.templates.push_back(text);
    return true;
}

DraftResolver draft_resolver(const EncryptedResolver& resolver, std::vector<IpAddress> addresses) {
    const SvcParams& params = resolver.params;
    const std::uint8_t flags = flags_of(params.alpn);
    const std::uint16_t port = params.port.value_or(0);
    std::vector<std::string> templates;
    if ((flags & draft_doh) != 0 && params.dohpath)
        templates.push_back(doh_template(resolver.adn, port, *params.dohpath));
    return {resolver.adn, flags, port, std::move(addresses), std::move(templates), std::nullopt};
}

}  // namespace

std::vector<DraftResolver> paired(std::span<const DraftName> names,
                                  std::span<const DraftAddresses> addresses,
                                  std::span<const std::string> templates) {
    auto lacking = pending(names);
    auto offered = pending(addresses);
    std::vector<std::vector<DraftResolver>> of_name(names.size());
    const auto join = [&](std::size_t name, Pending<DraftAddresses>& found, std::uint8_t wanted) {
        const auto common = static_cast<std::uint8_t>(wanted & found.left);
        if (common == 0) return;
        of_name[name].push_back(joined(names[name], *found.option, common));
        found.left = without(found.left, common);
        // A name outlives addresses that are taken back, and lacks others then.
        if (!is_withdrawn(*found.option) || is_withdrawn(names[name]))
            lacking[name].left = without(lacking[name].left, common);
    };
    for (std::size_t name = 0; name < names.size(); ++name) {
        const auto equal = std::find_if(offered.begin(), offered.end(), [&](const auto& one) {
            return one.left == names[name].flags &&
                   is_withdrawn(*one.option) == is_withdrawn(names[name]);
        });
        if (equal != offered.end()) join(name, *equal, names[name].flags);
    }
    for (std::size_t name = 0; name < names.size(); ++name)
        for (auto& found : offered) join(name, found, lacking[name].left);
    for (auto& found : offered)
        for (std::size_t name = 0; name < names.size(); ++name)
            join(name, found, names[name].flags);

    std::vector<DraftResolver> resolvers;
    for (std::size_t name = 0; name < names.size(); ++name) {
        for (DraftResolver& one : of_name[name]) resolvers.push_back(std::move(one));
        if (lacking[name].left != 0)
            resolvers.push_back(
                {names[name].adn, lacking[name].left, 0, {}, {}, names[name].lifetime});
    }
    for (const auto& [option, left] : offered)
        if (left != 0)
            resolvers.push_back(
                {std::nullopt, left, option->port, option->addresses, {}, option->lifetime});
    hand_out(templates, resolvers);
    return resolvers;
}

std::optional<std::string> why_not_usable(const DraftResolver& resolver) {
    if (is_withdrawn(resolver)) return "withdrawn";
    if (!resolver.adn) return "no name goes with it";
    if (reads_as_address(*resolver.adn)) return "its name reads as an address";
    if (resolver.port != 0 && is_blocked_port(resolver.port))
        return "port " + std::to_string(resolver.port) +
               " is one that clients refuse to connect to";
    return std::nullopt;
}

std::vector<EncryptedResolver> resolvers_of(std::span<const DraftResolver> received) {
    std::vector<EncryptedResolver> resolvers;
    const auto add = [&](const DraftResolver& from, const SvcParams& params) {
        const auto priority =
            static_cast<std::uint16_t>(std::min<std::size_t>(resolvers.size() + 1, priority_max));
        resolvers.push_back({priority, *from.adn, from.addresses, params});
    };
    for (const DraftResolver& from : received) {
        if (!from.adn || is_withdrawn(from)) continue;
        if (from.addresses.empty()) {
            add(from, {});
            continue;
        }
        std::vector<std::string> paths;
        for (const std::string& text : from.templates)
            if (auto at = parse_doh_template(text)) paths.push_back(std::move(at->path));
        SvcParams params;
        if (from.port != 0) params.port = from.port;
        const bool mute_doh = paths.empty() && from.flags != draft_doh;
        params.alpn = alpn_of(mute_doh ? without(from.flags, draft_doh) : from.flags);
        if (!paths.empty()) params.dohpath = paths.front();
        add(from, params);
        params.alpn = alpn_of(draft_doh);
        for (std::size_t i = 1; i < paths.size(); ++i) {
            params.dohpath = paths[i];
            add(from, params);
        }
    }
    return resolvers;
}

template <class Address>
DraftOffers draft_offers(std::span<const EncryptedResolver> resolvers) {
    DraftOffers all;
    for (const auto& resolver : by_priority({resolvers.begin(), resolvers.end()})) {
        const auto addresses = announceable<Address>(resolver);
        auto why = why_not_sendable(resolver);
        if (!why && is_adn_only(resolver)) why = "this form can't tell of a name alone";
        if (!why && addresses.empty())
            why = "it has no address of this family that hosts could use";
        if (why) {
            all.left_out.push_back({resolver.priority, resolver.adn, *std::move(why)});
            continue;
        }
        DraftResolver draft = draft_resolver(resolver, {addresses.begin(), addresses.end()});
        const bool absorbed =
            std::any_of(all.offers.begin(), all.offers.end(),
                        [&](DraftOffer& offer) { return absorb(offer.resolver, draft); });
        if (!absorbed) all.offers.push_back({resolver.priority, std::move(draft)});
    }
    return all;
}

template DraftOffers draft_offers<Ipv4>(std::span<const EncryptedResolver>);
template DraftOffers draft_offers<Ipv6>(std::span<const EncryptedResolver>);

std::optional<DohTemplate> parse_doh_template(std::string_view text) {
    if (!starts_with_scheme(text)) return std::nullopt;
    text.remove_prefix(scheme.size());
    const std::size_t slash = std::min(text.find('/'), text.size());
    const std::string_view authority = text.substr(0, slash);
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    const auto host = parse_name(authority.substr(0, colon));
    DohTemplate found;
    if (!host || !is_host_name(*host)) return std::nullopt;
    found.host = *host;
    if (colon < authority.size()) {
        const std::string_view digits = authority.substr(colon + 1);
        const auto [end, ec] =
            std::from_chars(digits.data(), digits.data() + digits.size(), found.port);
        if (ec != std::errc() || end != digits.data() + digits.size() || found.port == 0)
            return std::nullopt;
    }
    found.path = text.substr(slash);
    if (!is_usable_dohpath(found.path)) return std::nullopt;
    return found;
}

std::string doh_template(const Name& adn, std::uint16_t port, std::string_view path) {
    std::string text(scheme);
    text += to_host(adn);
    if (port != 0) text += ":" + std::to_string(port);
    text += path;
    return text;
}

std::uint8_t read_draft_flags(Reader& in) {
    const std::uint8_t flags = in.u8() & (draft_dot | draft_doh | draft_doq);
    if (flags == 0) in.fail("names no protocol");
    return flags;
}

std::vector<std::string> alpn_of(std::uint8_t flags) {
    std::vector<std::string> alpn;
    if ((flags & draft_dot) != 0) alpn.emplace_back("dot");
    if ((flags & draft_doh) != 0) alpn.emplace_back("h2");
    if ((flags & draft_doq) != 0) alpn.emplace_back("doq");
    return alpn;
}

std::uint8_t flags_of(std::span<const std::string> alpn) {
    std::uint8_t flags = 0;
    for (const std::string& id : alpn) {
        if (id == "dot") flags |= draft_dot;
        if (id == "h2" || id == "h3" || id == "http/1.1") flags |= draft_doh;
        if (id == "doq") flags |= draft_doq;
    }
    return flags;
}

}  // namespace porchlight::dns
