#include "agent/metrics_places.h"

#include <algorithm>

namespace porchlight::agent {
namespace {

/// The interface of the home that has this address; null: none.
const net::Link* link_with(const IpAddress& address, const Config& config,
                           const std::vector<net::Link>& links) {
    for (const net::Link& link : links)
        for (const LanConfig& lan : config.lan)
            if (lan.interface == link.name &&
                std::any_of(link.addresses.begin(), link.addresses.end(), [&](const auto& one) {
                    return one.address == address && !one.tentative;
                }))
                return &link;
    return nullptr;
}

}  // namespace

MetricsPlaces metrics_places(const Config& config, const std::vector<net::Link>& links) {
    MetricsPlaces places;
    for (const Endpoint& at : config.metrics.listen) {
        if (is_loopback(at.address)) {
            places.open.push_back({at, ""});
            continue;
        }
        const net::Link* const link = link_with(at.address, config, links);
        if (link == nullptr)
            places.refused[at] =
                to_text(at.address) + " is no address of this router on an interface of lan";
        else
            places.open.push_back({at, link->name, link->index});
    }
    return places;
}

}  // namespace porchlight::agent
