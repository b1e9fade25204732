#include "agent/full_settings.h"

#include <algorithm>

#include "agent/plan.h"
#include "ra/options.h"
#include "ra/sender.h"

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

std::size_t packets_of_round(const ra::FullSettings& settings, const net::Link& link,
                             const ra::NdOptions& beside) {
    ra::NdOptions round =
        ra::compose_full(settings, ra::link_facts(link), Clock::time_point()).options;
    round.insert(round.end(), beside.begin(), beside.end());
    return ra::spread(std::move(round), ra::Sender::option_octets_max).size();
}

}  // namespace

ra::FullSettings full_settings(const Config& config, const net::Link& link,
                               const Surroundings& around, const ra::NdOptions& beside) {
    const RouterConfig& router = config.announce.router;
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
    settings.routes = other_prefixes(config, link, around);
    // No lifetime changes how long a packet is.
    settings.dns_lifetime = settings.route_lifetime =
        ra::option_lifetime(config.announce.ra_interval, packets_of_round(settings, link, beside));
    return settings;
}

}  // namespace porchlight::agent
