#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/address.h"

namespace porchlight::net {

/// A prefix behind which IPv6 addresses hold an IPv4 address (RFC 6052 section 2.2).
struct Nat64Prefix {
    Ipv6 address;  // zero behind the prefix, and in bits 64 to 71
    std::uint8_t bits = 96;
    bool operator==(const Nat64Prefix&) const = default;

    bool holds(const Ipv6& other) const;
};

/// 32, 40, 48, 56, 64 or 96.
bool is_nat64_length(std::uint8_t bits);

/// "2001:db8:64::/96"; without a length the first 96 bits count, whatever stands behind them.
/// Nothing for another length, for an address with bits behind the length that it states, and for
/// one with any of the bits 64 to 71.
std::optional<Nat64Prefix> parse_nat64_prefix(std::string_view text);

/// The IPv4 address behind `bits` bits, one of those lengths. What stands in the bits that are none
/// of its, 64 to 71 and those behind it, does not count: a translator may ignore it.
Ipv4 embedded_ipv4(const Ipv6& address, std::uint8_t bits);

/// The octet behind that IPv4 address: from there on a suffix stands, or nothing.
std::size_t embedded_ipv4_end(std::uint8_t bits);

}  // namespace porchlight::net
