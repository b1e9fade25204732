#pragma once

#include <string>

#include "agent/status.h"

namespace porchlight::agent {

/// What `status` counts and measures, for Prometheus (text exposition format 0.0.4).
/// docs/metrics.md describes each name; those are as stable as the JSON of `status`.
/// - No name, address or hardware address of a host is in it.
/// - How many series there are follows from the configuration: what a stranger can choose is no
///   label. So upstreams that a WAN offers are one.
std::string metrics_text(const Status& status);

}  // namespace porchlight::agent
