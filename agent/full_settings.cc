#include "agent/full_settings.h"

#include "agent/plan.h"

namespace porchlight::agent {

ra::FullSettings full_settings(const Config& config, const net::Link& link, bool default_route) {
    const RouterConfig& router = config.announce.router;
    ra::FullSettings settings;
    settings.router_lifetime = default_route ? router.lifetime : std::chrono::seconds(0);
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
    settings.dns_lifetime = lifetime_in_intervals * config.announce.ra_interval;
    return settings;
}

}  // namespace porchlight::agent
