#pragma once

#include <optional>

#include "agent/config.h"
#include "agent/keeper_protocol.h"
#include "forwarder/settings.h"
#include "net/link.h"

namespace porchlight::agent {

/// Everything that the forwarder is told, from everything known now.
forwarder::Settings forwarder_settings(const Config& config, const World& world,
                                       const std::vector<net::Link>& links,
                                       std::optional<forwarder::TlsIdentity> identity,
                                       bool dates_count);

}  // namespace porchlight::agent
