#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "dns/encrypted_resolver.h"

namespace porchlight::agent {

/// How a WAN's word on resolvers came, in the order of preference: the user's before the network's,
/// DHCP's before a Router Advertisement's (RFC 8106 section 5.3.1).
enum class OfferSource { user, dhcpv4, dhcpv6, ra };

/// An encrypted resolver that a network behind a WAN interface tells of.
struct Offer {
    std::string wan;  // interface
    OfferSource source = OfferSource::user;
    dns::EncryptedResolver resolver;
    std::optional<Clock::time_point> until;  // none: until it is taken back
    bool operator==(const Offer&) const = default;
};

}  // namespace porchlight::agent
