#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "dhcp/draft_v6.h"
#include "dns/encrypted_resolver.h"
#include "dns/format.h"

// What a DHCP client of ours was told by the network behind a WAN, read strictly: hosts are told of
// it again, and one bad octet would reach them all.

namespace porchlight::dhcp {

inline constexpr std::uint8_t v4_plain_resolvers_code = 6;    // RFC 2132 section 3.8
inline constexpr std::uint16_t v6_plain_resolvers_code = 23;  // RFC 3646 section 3
inline constexpr std::uint16_t v6_refresh_time_code = 32;     // RFC 8415 section 21.23

/// What all options of one code in a DHCPv4 message hold, joined by the client (RFC 3396).
struct V4Option {
    std::uint8_t code = 0;
    Buffer data;
    bool operator==(const V4Option&) const = default;
};

/// An option that is discarded.
struct RefusedOption {
    std::string why;  // "DHCPv4 option 162: ends too early at byte 11"
    Buffer octets;    // its data; empty where several options are one thing
    bool operator==(const RefusedOption&) const = default;
};

/// What a message says of resolvers.
struct WanOptions {
    std::vector<dns::EncryptedResolver> resolvers;  // well formed; whether usable is another matter
    std::vector<RefusedOption> refused;
    std::vector<IpAddress> plain;  // resolvers in clear text
    /// Information Refresh Time, DHCPv6 only; all ones is for ever.
    std::optional<std::chrono::seconds> refresh;
    bool operator==(const WanOptions&) const = default;
};

/// One bad instance spoils option 162 (RFC 9463 section 5.2). The draft's option is read where
/// `forms` has that format, at its code point.
WanOptions read_wan_v4(std::span<const V4Option> options, const dns::Forms& forms = {});

/// From a run of whole options, each with code and length. Each option 144 is judged on its own
/// (RFC 9463 section 4.2); a run that is cut short is refused whole. The draft's as above, also
/// within option 17 where its code points are an enterprise's.
WanOptions read_wan_v6(Bytes run, const dns::Forms& forms = {});

}  // namespace porchlight::dhcp
