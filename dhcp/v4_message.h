#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "core/address.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"

namespace porchlight::dhcp {

inline constexpr std::uint16_t v4_server_port = 67;
inline constexpr std::uint16_t v4_client_port = 68;

/// Codes of RFC 2132 that something here reads or writes.
namespace v4_code {
inline constexpr std::uint8_t dns_servers = 6, lease_time = 51, message_type = 53, server = 54,
                              parameter_list = 55, message_size_max = 57;
}  // namespace v4_code

/// Values of option 53 (RFC 2132 section 9.6).
namespace v4_type {
inline constexpr std::uint8_t discover = 1, offer = 2, ack = 5, inform = 8;
}  // namespace v4_type

/// A message between a client on Ethernet and a server (RFC 2131 section 2). What is left out means
/// nothing to one who only asks what there is: hops, seconds, relay, next server, boot file.
struct V4Message {
    static constexpr std::uint8_t request = 1, reply = 2;

    std::uint8_t op = request;
    std::uint32_t transaction = 0;
    bool broadcast = false;  // the client hears no unicast yet
    Ipv4 client;             // ciaddr: an address that the client has
    Ipv4 yours;              // yiaddr: one that the server offers
    std::array<std::uint8_t, 6> hardware_address{};
    /// By code; those of one code are joined (RFC 3396).
    std::map<std::uint8_t, Buffer> options;
    bool operator==(const V4Message&) const = default;

    /// The octets of an option; empty also where it is not there.
    Bytes option(std::uint8_t code) const {
        const auto found = options.find(code);
        return found == options.end() ? Bytes() : Bytes(found->second);
    }
    /// Option 53; 0 where it is not there or not one octet.
    std::uint8_t type() const {
        const Bytes data = option(v4_code::message_type);
        return data.size() == 1 ? data.front() : std::uint8_t(0);
    }
};

/// Strict. `message` is what UDP carries.
Result<V4Message> parse_v4_message(Bytes message);

/// At least the 300 octets that some relays want. Options above 255 octets are cut (RFC 3396).
void write(Writer& out, const V4Message& message);

/// Whether `answer` is a server's to `asked`: an offer to a discover, an ack to an inform (RFC 2131
/// section 3.4).
bool is_answer(const V4Message& answer, const V4Message& asked);

}  // namespace porchlight::dhcp
