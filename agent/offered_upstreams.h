#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "agent/config.h"
#include "agent/offers.h"
#include "dns/designations.h"
#include "forwarder/settings.h"
#include "net/link.h"

namespace porchlight::agent {

/// Why those are asked who are asked.
enum class UpstreamOrigin { configuration, offer, designation, before, nobody };

/// "the WAN offers them", for people.
std::string_view to_text(UpstreamOrigin origin);

/// Whom this router can ask over DoT of what a WAN offers: what is left of `offers` by the rules by
/// which hosts are told of it (see sift), in that order. Without those that are a name alone, and
/// without this router's own name.
std::vector<forwarder::UpstreamSettings> offered_upstreams(const Config& config,
                                                           std::span<const net::Link> links,
                                                           std::span<const Offer> offers);

/// The same of what the plain resolver at `plain` designates (RFC 9462 section 4). The certificate
/// has to prove that address. Where the address is private and the very one that is designated,
/// whoever has it comes last without a proof: section 4.3 allows that nowhere else.
std::vector<forwarder::UpstreamSettings> designated_upstreams(
    const Config& config, std::span<const net::Link> links, const IpAddress& plain,
    std::span<const dns::Designation> designations);

}  // namespace porchlight::agent
