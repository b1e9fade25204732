#include "agent/full_settings.h"

#include <algorithm>

#include "agent/plan.h"

namespace porchlight::agent {
namespace {

bool is_lan(const Config& config, const net::Link& link) {
    return std::any_of(config.lan.begin(), config.lan.end(),
                       [&](const LanConfig& lan) { return lan.interface == link.name; });
}

bool leads_out(const Config& config, const Surroundings& around) {
    const auto& routes = around.default_routes;
    return std::any_of(routes.begin(), routes.end(), [&](unsigned index) {
        // A way out by the home's own links is no way to the Internet.
        return std::none_of(around.links.begin(), around.links.end(), [&](const net::Link& link) {
            return link.index == index && is_lan(config, link);
        });
    });
}

std::vector<ra::Prefix> other_prefixes(const Config& config, const net::Link& link,
                                       const Surroundings& around) {
    std::vector<ra::Prefix> prefixes;
    for (const net::Link& other : around.links) {
        if (other.index == link.index || !other.up || !is_lan(config, other)) continue;
        for (const auto& own : ra::link_facts(other).prefixes)
            if (prefixes.size() < ra::FullSettings::routes_max) prefixes.push_back(own.prefix);
    }
    return prefixes;
}

}  // namespace

ra::FullSettings full_settings(const Config& config, const net::Link& link,
                               const Surroundings& around) {
    const RouterConfig& router = config.announce.router;
    const std::chrono::seconds kept = lifetime_in_intervals * config.announce.ra_interval;
    ra::FullSettings settings;
    settings.router_lifetime =
        leads_out(config, around) ? router.lifetime : std::chrono::seconds(0);
    settings.preference = router.preference;
    settings.managed = router.managed;
    settings.other = router.other;
    settings.mtu_octets = router.mtu_octets;
    settings.rdnss = router.rdnss;
    if (settings.rdnss.empty()) {
        for (const IpAddress& address : announced_addresses(link))
            if (const auto* v6 = std::get_if<Ipv6>(&address)) settings.rdnss.push_back(*v6);
    }
    settings.dnssl = router.dnssl;
    settings.dns_lifetime = kept;
    settings.routes = other_prefixes(config, link, around);
    settings.route_lifetime = kept;
    return settings;
}

}  // namespace porchlight::agent
