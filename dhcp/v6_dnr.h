#pragma once

#include <cstdint>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"
#include "dns/encrypted_resolver.h"

namespace porchlight::dhcp {

inline constexpr std::uint16_t v6_dnr_code = 144;

/// DHCPv6 option 144 without its code and length (RFC 9463 section 4). One option is one
/// resolver; several resolvers are several options, each judged on its own.
struct V6Dnr {
    std::uint16_t priority = 1;
    dns::Name adn;                // authentication domain name, never compressed
    std::vector<Ipv6> addresses;  // empty: ADN-only mode, and then no params
    dns::SvcParams params;
    bool operator==(const V6Dnr&) const = default;
};

/// Strict. Addresses that no host could use are dropped; an option left without any is refused.
Result<V6Dnr> parse_v6_dnr(Bytes option);

void write(Writer& out, const V6Dnr& dnr);

/// The resolver as this carrier can tell of it: IPv6 addresses only.
V6Dnr v6_dnr(const dns::EncryptedResolver& resolver);
dns::EncryptedResolver resolver_of(const V6Dnr& dnr);

}  // namespace porchlight::dhcp
