#pragma once

#include <span>
#include <vector>

#include "agent/config.h"
#include "dns/encrypted_resolver.h"

namespace porchlight::agent {

/// The entries that `resolvers` are told as, in order of priority.
/// - An entry's port holds for all its protocols (RFC 9461 section 4.2) and it has one path. So
///   protocols are grouped: those at their default ports, then those that share another one; each
///   further path of DNS over HTTPS is an entry of its own.
/// - The order is dot, doq, doh: a host that knows DNS over TLS alone reads no further than it
/// must.
/// - Priorities are those given; where none is, one more than that of the entry before.
std::vector<dns::EncryptedResolver> entries(std::span<const AnnouncedResolver> resolvers);

}  // namespace porchlight::agent
