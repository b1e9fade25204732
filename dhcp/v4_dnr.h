#pragma once

#include <cstdint>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"
#include "dns/encrypted_resolver.h"

namespace porchlight::dhcp {

inline constexpr std::uint8_t v4_dnr_code = 162;

/// One resolver within DHCPv4 option 162 (RFC 9463 section 5).
struct V4DnrInstance {
    std::uint16_t priority = 1;
    dns::Name adn;                // authentication domain name, never compressed
    std::vector<Ipv4> addresses;  // at most 63; empty: ADN-only mode, and then no params
    dns::SvcParams params;
    bool operator==(const V4DnrInstance&) const = default;
};

/// The option is a run of instances, at least one.
using V4Dnr = std::vector<V4DnrInstance>;

/// Strict. `payload` is what all options 162 of a message hold, joined (see dhcp/long_option.h).
/// One bad instance spoils the whole, as section 5.2 has it. Addresses that no host could use are
/// dropped; an instance left without any is bad.
Result<V4Dnr> parse_v4_dnr(Bytes payload);

void write(Writer& out, const V4DnrInstance& instance);
void write(Writer& out, const V4Dnr& dnr);

/// The resolver as this carrier can tell of it: IPv4 addresses only.
V4DnrInstance v4_dnr_instance(const dns::EncryptedResolver& resolver);
dns::EncryptedResolver resolver_of(const V4DnrInstance& instance);

}  // namespace porchlight::dhcp
