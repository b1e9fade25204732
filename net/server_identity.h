#pragma once

#include <string>
#include <variant>

#include "core/address.h"

namespace porchlight::net {

/// No proof of who the server is: privacy against those who only listen (RFC 9462 section 4.3).
struct Unauthenticated {
    auto operator<=>(const Unauthenticated&) const = default;
};

/// What the server's certificate must say: a name, as DNS-ID (RFC 8310 section 8.1), which is sent
/// as SNI too; or an address, as iPAddress, for a server that only its address led to (RFC 9462
/// section 4.2), which may be another than that of the connection.
using ServerIdentity = std::variant<std::string, IpAddress, Unauthenticated>;

}  // namespace porchlight::net
