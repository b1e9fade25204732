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
bool is_known(const dns::EncryptedResolver& resolver, const GuardFacts& facts) {
    return std::any_of(facts.planned.begin(), facts.planned.end(), [&](const auto& planned) {
        return planned.adn == resolver.adn &&
               std::all_of(resolver.addresses.begin(), resolver.addresses.end(),
                           [&](const IpAddress& address) {
                               return holds(planned.addresses, address) ||
                                      holds(facts.addresses, address);
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

std::vector<std::string> strange_resolvers(const ServerMessage& message, const GuardFacts& facts) {
    std::vector<std::string> strange;
    const auto add = [&](std::string name) {
        if (strange.size() < Rogue::resolvers_max && !holds(strange, name))
            strange.push_back(std::move(name));
    };
    for (const auto& one : message.encrypted)
        if (!is_known(one, facts)) add(name_of(one));
    for (const IpAddress& one : message.plain)
        if (!is_known(one, facts)) add(to_text(one));
    return strange;
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
    if (!rogue.resolvers.empty())
        rogue.threat = Threat::resolver;
    else if (message.leads_away || rogue.as_this_router)
        rogue.threat = Threat::server;
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
        rogue->as_this_router |= seen.as_this_router;
        rogue->address = seen.address;
        rogue->server = std::move(seen.server);
        rogue->last_seen = now;
        for (std::string& name : seen.resolvers) {
            if (rogue->resolvers.size() >= Rogue::resolvers_max) break;
            if (holds(rogue->resolvers, name)) continue;
            rogue->resolvers.push_back(std::move(name));
            rogue->told = false;
        }
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

void Rogues::forget(const GuardFacts& facts) {
    std::erase_if(rogues_, [&](const Rogue& one) {
        return holds(facts.trusted_ports, one.port) || holds(facts.trusted_macs, one.mac);
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
        for (const std::string& name : rogue.resolvers)
            text += (&name == &rogue.resolvers.front() ? "" : "; ") + name;
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
