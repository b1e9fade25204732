#pragma once

#include <string>

#include "agent/advertisers.h"
#include "agent/config.h"
#include "agent/keeper_protocol.h"

namespace porchlight::agent {

// What hosts may know, by any carrier, of what a process before this one told: `world` holds what
// dnsmasq and odhcpd tell, `advertisers` have adopted the rest.

/// Whether hosts of `link` know this router as resolver.
bool router_stands(const std::string& link, const Config& config, const World& world,
                   const Advertisers& advertisers);
/// Whether hosts know anything on a link where they are told what the WAN offers.
bool relayed_stands(const Config& config, const World& world, const Advertisers& advertisers);

}  // namespace porchlight::agent
