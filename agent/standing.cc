#include "agent/standing.h"

#include <algorithm>

#include "agent/odhcpd.h"
#include "agent/plan.h"
#include "dhcp/dnsmasq_feed.h"

namespace porchlight::agent {

bool router_stands(const std::string& link, const Config& config, const World& world,
                   const Advertisers& advertisers) {
    if (!config.resolver) return false;
    return dhcp::tells(text_of(world.dhcp_options), link, config.resolver->adn) ||
           odhcpd_tells(config, text_of(world.odhcpd), link) ||
           advertisers.tells(link, config.resolver->adn);
}

bool relayed_stands(const Config& config, const World& world, const Advertisers& advertisers) {
    const auto by_odhcpd = entries_for(config, text_of(world.odhcpd));
    return std::ranges::any_of(config.lan, [&](const LanConfig& lan) {
        return resolve_mode(config, lan) == Mode::relay &&
               (advertisers.stands(lan.interface) ||
                dhcp::tells(text_of(world.dhcp_options), lan.interface) ||
                std::ranges::find(by_odhcpd, lan.uci_section, &dhcp::OdhcpdEntry::section) !=
                    by_odhcpd.end());
    });
}

}  // namespace porchlight::agent
