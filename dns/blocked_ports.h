#pragma once

#include <cstdint>

namespace porchlight::dns {

/// Whether clients refuse to connect to the port, TCP or UDP: who names it could make them talk to
/// a server of another protocol (RFC 9461 section 4.2, which points at the list of bad ports in the
/// Fetch standard).
bool is_blocked_port(std::uint16_t port);

}  // namespace porchlight::dns
