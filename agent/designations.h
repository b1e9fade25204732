#pragma once

#include <vector>

#include "agent/config.h"
#include "agent/plan.h"
#include "forwarder/settings.h"
#include "net/link.h"

namespace porchlight::agent {

/// What DNS itself tells hosts that ask the router for its encrypted resolver (DDR, RFC 9462): the
/// plan, so far as it names this router. One entry for each link whose hosts hear of any, by DNS
/// over TLS; and one without a link for who asks the companion, which does not say whose host asks:
/// what is true of every link of the home that can have hosts, and nothing where they differ. A
/// link's addresses are told along; through the companion those alone that are the same everywhere,
/// else hosts ask it for those of the name.
///
/// Each transport, port and path has a record of its own, so that a host chooses one by SvcPriority
/// (RFC 9460 section 2.4.1): from 1 on, those of `announce.ddr_prefers` first, in the plan's order.
/// A record's alpn is "dot", or the versions of HTTP that are served, with their path (RFC 9461
/// section 5).
///
/// Resolvers elsewhere are never named. A host takes a designation only if the certificate proves
/// the address of the plain resolver that it asked, or with a private one if the encrypted resolver
/// has that very address (RFC 9462 sections 4.2 and 4.3): the router's, which they don't have.
std::vector<forwarder::Designations> designations(const Config& config, const Plan& plan,
                                                  const std::vector<net::Link>& links);

}  // namespace porchlight::agent
