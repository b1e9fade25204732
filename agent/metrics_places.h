#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/config.h"
#include "net/link.h"

namespace porchlight::agent {

/// Where the metrics are served: loopback, or an address that this machine has in the home.
struct MetricsPlace {
    Endpoint at;
    std::string interface;  // that the socket is bound to; empty: none, it is loopback
    unsigned index = 0;     // of that, which another interface of its name would not have
    auto operator<=>(const MetricsPlace&) const = default;
};

struct MetricsPlaces {
    std::vector<MetricsPlace> open;
    std::map<Endpoint, std::string> refused;  // and why
};

/// Where `metrics.listen` can be had now. An address that is not the router's on an interface of
/// `lan` is refused, whatever else has it: what comes from the WAN reaches none of these sockets.
MetricsPlaces metrics_places(const Config& config, const std::vector<net::Link>& links);

}  // namespace porchlight::agent
