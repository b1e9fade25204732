#pragma once

#include <string>
#include <vector>

#include "agent/config.h"
#include "net/link.h"

namespace porchlight::agent {

/// A word for the network that this router is attached to, from its addresses toward the Internet:
/// the IPv4 addresses and IPv6 prefixes of the configured `wan` interfaces or, where none is
/// configured, of every link that is no LAN's. Another word, another network, by which no session
/// with an upstream may be recognised (RFC 8446 appendix C.4). Empty: attached to none.
std::string attached_network(const Config& config, const std::vector<net::Link>& links);

}  // namespace porchlight::agent
