#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/reader.h"
#include "core/result.h"
#include "core/writer.h"

namespace porchlight::ra {

inline constexpr std::uint8_t solicitation_type = 133;
inline constexpr std::uint8_t advertisement_type = 134;
inline constexpr std::size_t option_unit_octets =
    8;  // of an option's Length (RFC 4861 section 4.6)

// What options say by their type: RFC 4861 section 4.6, RFC 4191 section 2.3, RFC 8106 section
// 5, RFC 8801 section 3.1.
inline constexpr std::uint8_t source_link_layer_option_type = 1;
inline constexpr std::uint8_t prefix_option_type = 3;
inline constexpr std::uint8_t mtu_option_type = 5;
inline constexpr std::uint8_t pvd_option_type = 21;
inline constexpr std::uint8_t route_option_type = 24;
inline constexpr std::uint8_t rdnss_option_type = 25;
inline constexpr std::uint8_t dnssl_option_type = 31;
/// Whether an option is of those that tell hosts of router, link and plain resolvers. IANA assigns
/// them from below; encrypted-DNS options have high types, also where the user chose them.
inline constexpr bool is_router_option(std::uint8_t type) {
    return type < 64;
}

inline constexpr unsigned hop_limit = 255;  // of every Neighbor Discovery packet: it was not routed

inline constexpr Ipv6 all_nodes{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
inline constexpr Ipv6 all_routers{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};

/// What a router says of itself (RFC 4861 section 4.2).
struct RouterHeader {
    static constexpr std::uint8_t managed_flag = 0x80;     // "M": addresses by DHCPv6
    static constexpr std::uint8_t other_flag = 0x40;       // "O": other settings by DHCPv6
    static constexpr std::uint8_t preference_bits = 0x18;  // RFC 4191 section 2.2

    std::uint8_t cur_hop_limit = 0;  // 0: unspecified
    /// M, O, and what later RFCs put beside them (home agent, preference, proxy): always kept
    /// whole.
    std::uint8_t flags = 0;
    std::chrono::seconds router_lifetime{0};      // 0: no default router; at most 65535 s
    std::chrono::milliseconds reachable_time{0};  // 0: unspecified
    std::chrono::milliseconds retrans_timer{0};   // 0: unspecified
    bool operator==(const RouterHeader&) const = default;
};

/// Options are whole: type, length and everything to their padding, a multiple of 8 octets.
using NdOptions = std::vector<Buffer>;

struct Advertisement {
    RouterHeader header;
    NdOptions options;
    bool operator==(const Advertisement&) const = default;
};

struct Solicitation {
    NdOptions options;
    bool operator==(const Solicitation&) const = default;
};

/// How an ICMPv6 message came, as the checks below need it.
struct Envelope {
    Ipv6 source;
    unsigned hop_limit = 0;
    bool in_fragments = false;
};

/// The checks of RFC 4861 section 6.1.2 and RFC 6980 section 5, without the checksum: a raw ICMPv6
/// socket delivers only what has a good one, and a captured frame of our own may not have one yet.
Result<Advertisement> parse_advertisement(Bytes icmpv6, const Envelope& envelope);
/// The checks of RFC 4861 section 6.1.1 and RFC 6980 section 5, without the checksum.
Result<Solicitation> parse_solicitation(Bytes icmpv6, const Envelope& envelope);

/// Their parts: what stands behind type, code and checksum, and options to the reader's end.
RouterHeader read_router_header(Reader& in);
NdOptions read_nd_options(Reader& in);
void write(Writer& out, const RouterHeader& header);
void write(Writer& out, const NdOptions& options);

/// ICMPv6 messages with a checksum of 0, which the kernel fills in.
void write(Writer& out, const Advertisement& advertisement);
void write(Writer& out, const Solicitation& solicitation);

}  // namespace porchlight::ra
