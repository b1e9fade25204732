#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/address.h"
#include "core/bytes.h"
#include "core/result.h"

namespace porchlight::net {

/// An Ethernet address.
struct MacAddress {
    std::array<std::uint8_t, 6> octets{};
    auto operator<=>(const MacAddress&) const = default;
};

/// "02:00:5e:10:00:01", in either case; nothing for anything else.
std::optional<MacAddress> parse_mac_address(std::string_view text);
std::string to_text(const MacAddress& address);

/// What an Ethernet frame carries, seen as the most lenient of hosts sees it: through VLAN tags and
/// SNAP headers, whatever they say, and through every extension header of IPv6. A filter that looks
/// less far is passed by whoever puts one of these before his packet (RFC 7113 section 2).
struct Frame {
    enum class Payload {
        other,   // nothing below
        icmpv6,  // `octets` is the message
        udp,     // `octets` is what stands behind the UDP header
        hidden,  // a first fragment without the headers that say what it is (RFC 7112)
    };

    MacAddress source;
    MacAddress destination;
    IpAddress source_address;
    IpAddress destination_address;
    unsigned hop_limit = 0;  // or TTL
    Payload payload = Payload::other;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    /// `octets` is the beginning of something that goes on in other fragments.
    bool fragment = false;
    Bytes octets;  // borrowed from what was parsed
};

/// Bounded by what it reads: every header has an octet at least. The payload may be cut off at the
/// end of `octets`, for the capture may be; headers may not, but in a first fragment. Checksums are
/// the receiver's affair. Fails with `malformed`.
Result<Frame> parse_frame(Bytes octets);

}  // namespace porchlight::net
