#pragma once

#include <optional>
#include <vector>

#include "agent/exposition.h"
#include "forwarder/settings.h"

namespace porchlight::agent {

/// The data plane's part of the metrics. `counters` are the sums over every forwarder that there
/// was, by the forwarder's own names; what it says of the present is left out where it is silent.
void put_forwarder(Exposition& out, const std::optional<forwarder::Status>& forwarder,
                   const std::vector<forwarder::Counter>& counters);

}  // namespace porchlight::agent
