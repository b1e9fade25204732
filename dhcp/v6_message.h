#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"
#include "dhcp/draft_v6.h"

namespace porchlight::dhcp {

inline constexpr std::uint16_t v6_server_port = 547;
inline constexpr std::uint16_t v6_client_port = 546;
/// All_DHCP_Relay_Agents_and_Servers (RFC 8415 section 7.1).
inline constexpr Ipv6 all_v6_servers{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2}};

/// Codes of RFC 8415 section 24 and RFC 3646 that something here reads or writes.
namespace v6_code {
inline constexpr std::uint16_t client_id = 1, server_id = 2, option_request = 6, elapsed_time = 8,
                               dns_servers = 23, information_refresh_time = 32;
}  // namespace v6_code

namespace v6_type {
inline constexpr std::uint8_t reply = 7, information_request = 11;
}  // namespace v6_type

/// A message between client and server (RFC 8415 section 8).
struct V6Message {
    std::uint8_t type = v6_type::information_request;
    std::uint32_t transaction = 0;  // 24 bits
    std::vector<V6Option> options;
    bool operator==(const V6Message&) const = default;

    /// The first option of that code; nothing if there is none. Borrowed.
    const V6Option* option(std::uint16_t code) const {
        for (const V6Option& one : options)
            if (one.code == code) return &one;
        return nullptr;
    }
};

/// Strict: options fill the message. `message` is what UDP carries.
Result<V6Message> parse_v6_message(Bytes message);

void write(Writer& out, const V6Message& message);

/// Whether `answer` is a server's Reply to `asked`, and names server and client as it must (RFC
/// 8415 section 16.10).
bool is_answer(const V6Message& answer, const V6Message& asked);

}  // namespace porchlight::dhcp
