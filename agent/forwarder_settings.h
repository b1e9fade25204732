#pragma once

#include <optional>

#include "agent/config.h"
#include "agent/keeper_protocol.h"
#include "agent/plan.h"
#include "forwarder/settings.h"
#include "net/link.h"

namespace porchlight::agent {

/// Everything that the forwarder is told, from everything known now. Without a plan there are no
/// designations.
forwarder::Settings forwarder_settings(const Config& config, const World& world,
                                       std::vector<forwarder::UpstreamSettings> upstreams,
                                       const std::optional<Plan>& plan,
                                       const std::vector<net::Link>& links,
                                       std::optional<forwarder::TlsIdentity> identity,
                                       bool dates_count);

}  // namespace porchlight::agent
