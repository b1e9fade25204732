#include "agent/forwarder_settings.h"

#include <algorithm>

#include "agent/attached_network.h"
#include "agent/designations.h"
#include "dns/doh_path.h"

namespace porchlight::agent {
namespace {

/// The addresses of the router's own name: those that any LAN link's hosts are told.
std::vector<IpAddress> own_addresses(const Config& config, const std::vector<net::Link>& links) {
    std::vector<IpAddress> addresses;
    for (const LanConfig& lan : config.lan) {
        for (const net::Link& link : links) {
            if (link.name != lan.interface) continue;
            for (const IpAddress& address : announced_addresses(link)) {
                // A link-local address means nothing without its link, which DNS can't say.
                const auto* v6 = std::get_if<Ipv6>(&address);
                if (v6 != nullptr && is_link_local(*v6)) continue;
                if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
                    addresses.push_back(address);
            }
        }
    }
    return addresses;
}

}  // namespace

forwarder::Settings forwarder_settings(const Config& config, const World& world,
                                       std::vector<forwarder::UpstreamSettings> upstreams,
                                       const std::optional<Plan>& plan,
                                       const std::vector<net::Link>& links,
                                       std::optional<forwarder::TlsIdentity> identity,
                                       bool dates_count) {
    forwarder::Settings settings;
    settings.identity = std::move(identity);
    settings.upstreams = std::move(upstreams);
    settings.roots_pem = world.roots_pem;
    settings.network = attached_network(config, links);
    settings.dates_count = dates_count;
    settings.companion = config.local.server;
    settings.local_domains = config.local.domains;
    if (config.resolver) {
        settings.adn = config.resolver->adn;
        settings.addresses = own_addresses(config, links);
        settings.application_dns = config.resolver->application_dns;
        if (plan) settings.designations = designations(config, *plan, links);
        for (const DohConfig& doh : config.resolver->doh) {
            settings.doh_paths.push_back(*dns::path_of(doh.path));
            settings.doh_http1 = settings.doh_http1 || doh.versions.size() > 1;
        }
    }
    settings.rebinding = config.rebinding;
    // The name's records outside may say where the resolver is: here.
    if (config.resolver) settings.rebinding.allow_domains.push_back(config.resolver->adn);
    settings.cache_bytes_max = config.cache.size_bytes_max;
    settings.ttl_min = config.cache.ttl_min;
    settings.ttl_max = config.cache.ttl_max;
    settings.failure_ttl = config.cache.failure_ttl;
    settings.failure_ttl_max = config.cache.failure_ttl_max;
    settings.negative_ttl_max = config.cache.negative_ttl_max;
    settings.stale = {config.cache.stale_max, config.cache.stale_client_timer,
                      config.cache.stale_recheck, config.cache.stale_ttl};
    settings.nxdomain_cut = config.cache.nxdomain_cut;
    settings.query_log = config.query_log;
    settings.limits = config.limits;
    return settings;
}

}  // namespace porchlight::agent
