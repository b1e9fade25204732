#pragma once

#include <cstdint>
#include <vector>

#include "core/address.h"
#include "dns/name.h"
#include "dns/svc_params.h"

namespace porchlight::dns {

/// An encrypted DNS resolver as a network tells its hosts of it: what every carrier (DHCPv4,
/// DHCPv6, Router Advertisement, DDR) renders and every receiver learns (RFC 9463 section 3.1).
struct EncryptedResolver {
    std::uint16_t priority = 1;        // Service Priority, 1 to 65535; the smaller is tried first
    Name adn;                          // authentication domain name
    std::vector<IpAddress> addresses;  // in order of preference; both families may stand here
    SvcParams params;                  // protocols, port, DoH template
    bool operator==(const EncryptedResolver&) const = default;
};

}  // namespace porchlight::dns
