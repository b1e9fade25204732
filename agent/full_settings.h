#pragma once

#include <vector>

#include "agent/config.h"
#include "net/link.h"
#include "ra/full.h"

namespace porchlight::agent {

/// What this router says of itself on `link` where it is the RA daemon there. Without a
/// `default_route` of its own it is no default router either (RFC 7084 G-4); where the
/// configuration names no plain resolver, it is one itself.
ra::FullSettings full_settings(const Config& config, const net::Link& link, bool default_route);

}  // namespace porchlight::agent
