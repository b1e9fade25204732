#include "agent/rogues.h"

#include <algorithm>

namespace porchlight::agent {
namespace {

template <class Item>
bool holds(const std::vector<Item>& list, const Item& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

/// Hosts get to a resolver of the plan by its name alone, which it must prove; but not where they
/// are sent elsewhere to look for it.
bool is_known(const dns::Name& adn, const std::vector<IpAddress>& addresses,
              const GuardFacts& facts) {
    return std::any_of(facts.planned.begin(), facts.planned.end(), [&](const auto& planned) {
        return planned.adn == adn &&
               std::all_of(addresses.begin(), addresses.end(), [&](const IpAddress& address) {
                   return holds(planned.addresses, address) || holds(facts.addresses, address);
               });
    });
}

bool is_known(const IpAddress& plain, const GuardFacts& facts) {
    return holds(facts.addresses, plain) ||
           std::any_of(facts.planned.begin(), facts.planned.end(),
                       [&](const auto& planned) { return holds(planned.addresses, plain); });
}

/// How many addresses of one resolver are told: no line is for all of 60.
constexpr std::size_t addresses_shown_max = 4;

std::string name_of(const dns::EncryptedResolver& resolver) {
    std::string text = dns::to_host(resolver.adn);
    for (std::size_t i = 0; i < resolver.addresses.size(); ++i) {
        if (i == addresses_shown_max) return text + ", ...";
        text += (i == 0 ? " at " : ", ") + to_text(resolver.addresses[i]);
    }
    return text;
}

bool is_known(const StrangeResolver& resolver, const GuardFacts& facts) {
    if (const auto* plain = std::get_if<IpAddress>(&resolver.what)) return is_known(*plain, facts);
    const auto* encrypted = std::get_if<StrangeResolver::Encrypted>(&resolver.what);
    return encrypted != nullptr && is_known(encrypted->adn, encrypted->addresses, facts);
}

StrangeResolver strange(const dns::EncryptedResolver& resolver) {
    StrangeResolver one{name_of(resolver)};
    if (resolver.addresses.size() <= Rogue::addresses_max)
        one.what = StrangeResolver::Encrypted{resolver.adn, resolver.addresses};
    return one;
}

/// Each once, and no more than are shown.
void add(std::vector<StrangeResolver>& list, StrangeResolver one) {
    const bool known = std::any_of(list.begin(), list.end(),
                                   [&](const auto& other) { return other.name == one.name; });
    if (!known && list.size() < Rogue::resolvers_max) list.push_back(std::move(one));
}

std::vector<StrangeResolver> strange_resolvers(const ServerMessage& message,
                                               const GuardFacts& facts) {
    std::vector<StrangeResolver> list;
    for (const auto& one : message.encrypted)
        if (!is_known(one.adn, one.addresses, facts)) add(list, strange(one));
    for (const IpAddress& one : message.plain)
        if (!is_known(one, facts)) add(list, {to_text(one), one});
    return list;
}

/// Of one who tells of no strange resolver.
Threat threat_without_resolver(const Rogue& rogue) {
    return rogue.leads_away || rogue.as_this_router ? Threat::server : Threat::beside;
}

bool is_same(const Rogue& a, const Rogue& b) {
    return a.port == b.port && a.mac == b.mac && a.kind == b.kind;
}

/// The one that is missed least: of the smallest threat the one that was silent for longest.
bool matters_less(const Rogue& a, const Rogue& b) {
    return a.threat != b.threat ? a.threat < b.threat : a.last_seen < b.last_seen;
}

}  // namespace

std::optional<Rogue> judge(const net::Frame& frame, const ServerMessage& message,
                           const GuardPort& port, const GuardFacts& facts) {
    if (holds(facts.trusted_macs, frame.source)) return std::nullopt;
    const bool own_mac = holds(facts.macs, frame.source);
    Rogue rogue;
    rogue.link = port.link;
    rogue.port = port.port;
    rogue.mac = frame.source;
    rogue.kind = message.kind;
    rogue.address = frame.source_address;
    rogue.server = message.server;
    rogue.resolvers = strange_resolvers(message, facts);
    rogue.as_this_router = own_mac || holds(facts.addresses, frame.source_address);
    if (own_mac && rogue.resolvers.empty()) return std::nullopt;
    rogue.leads_away = message.leads_away;
    rogue.threat = rogue.resolvers.empty() ? threat_without_resolver(rogue) : Threat::resolver;
    return rogue;
}

Rogue* Rogues::note(Rogue seen, Clock::time_point now) {
    std::erase_if(rogues_, [&](const Rogue& one) { return now - one.last_seen >= kept_for; });
    seen.last_seen = now;
    const auto known = std::find_if(rogues_.begin(), rogues_.end(),
                                    [&](const Rogue& one) { return is_same(one, seen); });
    Rogue* rogue = nullptr;
    if (known == rogues_.end()) {
        seen.first_seen = now;
        rogue = make_room(seen);
        if (rogue == nullptr) return nullptr;
        *rogue = std::move(seen);
    } else {
        rogue = &*known;
        if (seen.threat > rogue->threat || (seen.as_this_router && !rogue->as_this_router))
            rogue->told = false;
        rogue->threat = std::max(rogue->threat, seen.threat);
        rogue->leads_away |= seen.leads_away;
        rogue->as_this_router |= seen.as_this_router;
        rogue->address = seen.address;
        rogue->server = std::move(seen.server);
        rogue->last_seen = now;
        const std::size_t before = rogue->resolvers.size();
        for (StrangeResolver& one : seen.resolvers) add(rogue->resolvers, std::move(one));
        if (rogue->resolvers.size() > before) rogue->told = false;
    }
    ++rogue->messages;
    return rogue->told ? nullptr : rogue;
}

Rogue* Rogues::make_room(const Rogue& seen) {
    const auto of_port = [&](const Rogue& one) { return one.port == seen.port; };
    const bool crowded =
        std::count_if(rogues_.begin(), rogues_.end(), of_port) >= std::ptrdiff_t(per_port_max);
    if (!crowded && rogues_.size() < rogues_max) return &rogues_.emplace_back();
    Rogue* least = nullptr;
    for (Rogue& one : rogues_)
        if ((!crowded || of_port(one)) && (least == nullptr || matters_less(one, *least)))
            least = &one;
    return least->threat > seen.threat ? nullptr : least;
}

std::vector<Rogue> Rogues::standing(Clock::time_point now) const {
    std::vector<Rogue> found;
    for (const Rogue& one : rogues_)
        if (now - one.last_seen < kept_for) found.push_back(one);
    std::stable_sort(found.begin(), found.end(),
                     [](const Rogue& a, const Rogue& b) { return a.threat > b.threat; });
    return found;
}

void Rogues::judge_again(const GuardFacts& facts) {
    std::erase_if(rogues_, [&](Rogue& one) {
        if (holds(facts.trusted_ports, one.port) || holds(facts.trusted_macs, one.mac) ||
            !holds(facts.links, one.link))
            return true;
        const auto known = [&](const StrangeResolver& each) { return is_known(each, facts); };
        if (std::erase_if(one.resolvers, known) == 0 || !one.resolvers.empty()) return false;
        one.threat = threat_without_resolver(one);
        return holds(facts.macs, one.mac);
    });
}

std::string sentence(const Rogue& rogue) {
    std::string text = "A device on ";
    text += rogue.port == rogue.link ? rogue.link : "port " + rogue.port + " of " + rogue.link;
    text += " (" + net::to_text(rogue.mac) + ")";
    if (rogue.as_this_router) text += " uses this router's address and";
    if (rogue.kind == ServerKind::hidden)
        return text + " sends fragments that hide what they are, as to pass a guard";
    if (rogue.threat == Threat::resolver) {
        text += " tells hosts of another resolver by " + kind_name(rogue.kind) + ": ";
        for (const StrangeResolver& one : rogue.resolvers)
            text += (&one == &rogue.resolvers.front() ? "" : "; ") + one.name;
        return text;
    }
    if (rogue.threat == Threat::beside)
        return text + " tells hosts of a network beside this one, and of no other way out";
    return text + (rogue.kind == ServerKind::advertisement
                       ? " acts as a router of this home, by Router Advertisement"
                       : " acts as a " + kind_name(rogue.kind) + " server of this home");
}

std::string kind_name(ServerKind kind) {
    switch (kind) {
        case ServerKind::advertisement:
            return "Router Advertisement";
        case ServerKind::dhcpv6:
            return "DHCPv6";
        case ServerKind::dhcpv4:
            return "DHCPv4";
        case ServerKind::hidden:
            break;
    }
    return "hidden";
}

std::string threat_name(Threat threat) {
    switch (threat) {
        case Threat::beside:
            return "beside";
        case Threat::server:
            return "server";
        case Threat::resolver:
            break;
    }
    return "resolver";
}

}  // namespace porchlight::agent
