#include "agent/plan.h"

#include <algorithm>

#include "agent/entries.h"

namespace porchlight::agent {
namespace {

const net::Link* find_link(const std::vector<net::Link>& links, const std::string& name) {
    const auto found = std::find_if(links.begin(), links.end(),
                                    [&](const net::Link& link) { return link.name == name; });
    return found == links.end() ? nullptr : &*found;
}

/// The smaller, the rather announced; nothing for an address that is no good to hosts.
std::optional<int> rank(const net::LinkAddress& address) {
    if (address.tentative || address.deprecated || address.temporary) return std::nullopt;
    if (!is_announceable(address.address)) return std::nullopt;
    const auto* v6 = std::get_if<Ipv6>(&address.address);
    if (v6 == nullptr || is_unique_local(*v6)) return 0;
    return is_link_local(*v6) ? 2 : 1;
}

/// The best of one family. Of equals the first for IPv4, where the kernel keeps their order; for
/// IPv6 it lists the newest first, and an address that somebody adds must not take hosts away from
/// the one that they know: the smallest.
std::optional<IpAddress> best(const net::Link& link, bool v6) {
    std::optional<IpAddress> chosen;
    int chosen_rank = 3;
    for (const net::LinkAddress& address : link.addresses) {
        if (std::holds_alternative<Ipv6>(address.address) != v6) continue;
        const std::optional<int> its = rank(address);
        const bool better =
            its && (*its < chosen_rank || (v6 && *its == chosen_rank && address.address < *chosen));
        if (!better) continue;
        chosen = address.address;
        chosen_rank = *its;
    }
    return chosen;
}

/// As hosts of a link are told of it, with those of its services that are fit.
struct ThisRouter {
    AnnouncedResolver resolver;
    bool looked = true;  // at every service
    bool any = false;    // is fit
    std::string why;     // the first is not
};

ThisRouter this_router(const ResolverConfig& config, const Facts& facts, const std::string& link) {
    ThisRouter router;
    router.resolver.adn = config.adn;
    const auto is_fit = [&](std::uint16_t port) {
        const auto found =
            std::find_if(facts.fitness.begin(), facts.fitness.end(),
                         [&](const Fitness& one) { return one.link == link && one.port == port; });
        const bool known = found != facts.fitness.end();
        if (known && found->fit) return router.any = true;
        router.looked = router.looked && (!known || found->looked);
        if (router.why.empty()) router.why = known ? found->why : "not looked at yet";
        return false;
    };
    if (is_fit(config.dot.port)) router.resolver.dot = config.dot.port;
    for (const DohConfig& doh : config.doh)
        if (is_fit(doh.port)) router.resolver.doh.push_back(doh);
    return router;
}

LinkPlan plan_router(const Config& config, const Facts& facts, const std::string& name) {
    LinkPlan planned{name, {}, {}};
    const net::Link* link = find_link(facts.links, name);
    if (link == nullptr || !link->up) {
        planned.why = link == nullptr ? "there is no interface " + name : name + " is down";
        return planned;
    }
    std::vector<IpAddress> addresses = announced_addresses(*link);
    if (addresses.empty()) {
        planned.why = name + " has no address that hosts could use";
        return planned;
    }
    if (!facts.upstream_known) {
        planned.why = upstream_none;
        return planned;
    }
    ThisRouter router = this_router(*config.resolver, facts, name);
    if (!router.looked) {
        const auto told = std::find_if(facts.told.begin(), facts.told.end(),
                                       [&](const LinkPlan& one) { return one.link == name; });
        if (told != facts.told.end()) return *told;
    }
    if (!router.any) {
        planned.why = router.why;
        return planned;
    }
    router.resolver.addresses = std::move(addresses);
    planned.resolvers = entries({&router.resolver, 1});
    return planned;
}

LinkPlan plan_static(const Config& config, const LanConfig& lan) {
    return {lan.interface,
            entries(lan.resolvers.empty() ? config.announce.resolvers : lan.resolvers),
            {}};
}

/// An offer that ends later than all that is told: one that never does, beside some that do.
constexpr Clock::time_point never = Clock::time_point::max();

LinkPlan plan_relay(const Sifted& sifted, const std::string& name) {
    LinkPlan planned{name, {}, {}};
    bool any_ends = false;
    for (const Offer& offer : sifted.told) {
        planned.resolvers.push_back(offer.resolver);
        planned.ends.push_back(offer.until.value_or(never));
        any_ends = any_ends || offer.until;
    }
    if (!any_ends) planned.ends.clear();
    if (!planned.resolvers.empty()) return planned;
    planned.why = sifted.refused.empty()
                      ? std::string(offers_none)
                      : "the ISP offers " +
                            dns::to_text(sifted.refused.front().offer.resolver.adn) +
                            ", which hosts can't be told of: " + sifted.refused.front().why;
    return planned;
}

}  // namespace

bool same_but_for_ends(const Plan& a, const Plan& b) {
    Plan without_ends = b;
    for (std::size_t i = 0; i < without_ends.links.size() && i < a.links.size(); ++i)
        without_ends.links[i].ends = a.links[i].ends;
    return a == without_ends;
}

Mode resolve_mode(const Config& config) {
    if (config.mode != Mode::automatic) return config.mode;
    if (config.resolver) return Mode::forwarder;
    if (!config.announce.resolvers.empty()) return Mode::static_;
    return config.wan.empty() ? Mode::off : Mode::relay;
}

Mode resolve_mode(const Config& config, const LanConfig& lan) {
    if (lan.mode != Mode::automatic) return lan.mode;
    return lan.resolvers.empty() ? resolve_mode(config) : Mode::static_;
}

bool announces_router(const Config& config) {
    if (config.lan.empty()) return resolve_mode(config) == Mode::forwarder;
    return std::any_of(config.lan.begin(), config.lan.end(), [&](const LanConfig& lan) {
        return resolve_mode(config, lan) == Mode::forwarder;
    });
}

bool relays(const Config& config) {
    if (config.lan.empty()) return resolve_mode(config) == Mode::relay;
    return std::any_of(config.lan.begin(), config.lan.end(), [&](const LanConfig& lan) {
        return resolve_mode(config, lan) == Mode::relay;
    });
}

bool learns_upstream(const Config& config) {
    return config.upstream.empty() && !config.wan.empty() && announces_router(config);
}

bool asks_upstream(const Config& config) {
    return !config.upstream.empty() || learns_upstream(config);
}

std::vector<std::string> links_by_wan(const Config& config) {
    std::vector<std::string> links;
    for (const LanConfig& lan : config.lan) {
        const Mode mode = resolve_mode(config, lan);
        if (mode == Mode::relay || (mode == Mode::forwarder && learns_upstream(config)))
            links.push_back(lan.interface);
    }
    return links;
}

bool announces(const Config& config) {
    return std::any_of(config.lan.begin(), config.lan.end(), [&](const LanConfig& lan) {
        return resolve_mode(config, lan) != Mode::off;
    });
}

std::vector<IpAddress> announced_addresses(const net::Link& link) {
    std::vector<IpAddress> addresses;
    for (const bool v6 : {false, true})
        if (auto address = best(link, v6)) addresses.push_back(*address);
    return addresses;
}

Plan plan(const Config& config, const Facts& facts) {
    Plan whole{resolve_mode(config), announces_router(config), {}, {}};
    const Sifted sifted = relays(config) ? sift(config, facts.links, facts.offers) : Sifted();
    for (const LanConfig& lan : config.lan) {
        switch (resolve_mode(config, lan)) {
            case Mode::forwarder:
                whole.links.push_back(plan_router(config, facts, lan.interface));
                break;
            case Mode::static_:
                whole.links.push_back(plan_static(config, lan));
                break;
            case Mode::relay:
                whole.links.push_back(plan_relay(sifted, lan.interface));
                break;
            case Mode::automatic:
            case Mode::off:
                whole.links.push_back({lan.interface, {}, "announcing is off"});
                break;
        }
    }
    std::vector<std::string> told;
    for (const LanConfig& lan : config.lan)
        if (resolve_mode(config, lan) != Mode::off) told.push_back(lan.interface);
    if (told.empty()) return whole;
    for (const GroupConfig& group : config.announce.groups)
        whole.groups.push_back({group.tag, told, entries(group.resolvers)});
    return whole;
}

}  // namespace porchlight::agent
