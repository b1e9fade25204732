#pragma once

#include <span>
#include <vector>

#include "agent/offers.h"
#include "forwarder/settings.h"

namespace porchlight::agent {

/// Whom this router asks where the configuration names nobody: what a WAN offers and can be asked
/// over DoT, in the order of `offers` (draft-btw-add-home-11 section 3.1.2). Without those that are
/// a name alone.
std::vector<forwarder::UpstreamSettings> offered_upstreams(std::span<const Offer> offers);

}  // namespace porchlight::agent
