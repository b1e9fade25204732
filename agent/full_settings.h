#pragma once

#include <vector>

#include "agent/config.h"
#include "net/link.h"
#include "ra/full.h"

namespace porchlight::agent {

/// The links of this machine, and by which of them its IPv6 default routes leave.
struct Surroundings {
    const std::vector<net::Link>& links;
    const std::vector<unsigned>& default_routes;  // indices
};

/// What this router says of itself on `link` where it is the RA daemon there.
/// - Without a default route out of the home it is no default router (RFC 7084 G-4); what it leads
///   to all the same, the home's other links, is told as routes (L-3).
/// - Where the configuration names no plain resolver, it is one itself.
/// - Plain resolvers, search domains and routes are told for as long as hosts need to miss two
///   rounds, be they of several packets: all of it, and `beside`, what else is told on the link, in
///   units of ra/options.h.
ra::FullSettings full_settings(const Config& config, const net::Link& link,
                               const Surroundings& around, const ra::NdOptions& beside);

}  // namespace porchlight::agent
