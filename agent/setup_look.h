#pragma once

#include "agent/setup_found.h"
#include "core/result.h"
#include "core/storage.h"

namespace porchlight::agent::setup {

/// Looks at this machine: its links, its default routes, the dnsmasqs, radvds and odhcpds that run
/// in this network.
/// Changes nothing and needs no privilege.
Result<Found> look(Storage& storage);
/// The dnsmasqs alone.
std::vector<DnsmasqFound> look_at_dnsmasq(Storage& storage);

}  // namespace porchlight::agent::setup
