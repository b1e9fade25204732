#pragma once

#include <cstddef>
#include <cstdint>

#include "core/writer.h"
#include "dns/question.h"

namespace porchlight::dns {

/// Option codes of EDNS that something here reads or writes (IANA, "DNS EDNS0 Option Codes").
namespace option {
inline constexpr std::uint16_t client_subnet = 8;    // RFC 7871
inline constexpr std::uint16_t cookie = 10;          // RFC 7873
inline constexpr std::uint16_t tcp_keepalive = 11;   // RFC 7828
inline constexpr std::uint16_t padding = 12;         // RFC 7830
inline constexpr std::uint16_t extended_error = 15;  // RFC 8914
}  // namespace option

/// Codes of extended errors that we send ourselves (RFC 8914 section 4).
namespace extended_error {
inline constexpr std::uint16_t stale_answer = 3;
inline constexpr std::uint16_t blocked = 15;
inline constexpr std::uint16_t prohibited = 18;
inline constexpr std::uint16_t stale_nxdomain = 19;
inline constexpr std::uint16_t no_reachable_authority = 22;
inline constexpr std::uint16_t network_error = 23;
inline constexpr std::uint16_t synthesized = 29;  // IANA, "Extended DNS Error Codes"
}  // namespace extended_error

/// What a query of ours says about itself, beside its question.
struct QueryOptions {
    std::uint16_t udp_size_bytes = 1232;
    bool keepalive = false;               // asks how long the connection may idle (RFC 7828)
    bool authentic_data = false;          // asks for AD, also without DO (RFC 6840 section 5.7)
    std::size_t padding_bytes_block = 0;  // 128 on encrypted transports (RFC 8467); 0: no padding
};

/// Appends a whole query with recursion desired and an OPT record, its length a multiple of the
/// padding block. Never a cookie or anything else of the client's, nor a client subnet but the
/// empty one of a client that wants none told (RFC 7871 sections 7.1.2 and 7.1.3).
void write_query(Writer& out, std::uint16_t id, const Question& question,
                 const QueryOptions& options);

}  // namespace porchlight::dns
