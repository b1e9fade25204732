#include "dhcp/server_reply.h"

#include <algorithm>

#include "core/reader.h"
#include "dhcp/long_option.h"
#include "dhcp/v4_dnr.h"
#include "dhcp/v4_message.h"
#include "dhcp/v6_dnr.h"
#include "dhcp/v6_message.h"

namespace porchlight::dhcp {
namespace {

constexpr std::size_t v4_options_at = 236;  // RFC 2131 section 2
constexpr std::uint32_t cookie = 0x63825363;

// RFC 8415 sections 7.3 and 8.
constexpr std::uint8_t advertise = 2;
constexpr std::uint8_t reconfigure = 10;
constexpr std::size_t transaction_octets = 3;

template <class Address>
std::vector<IpAddress> addresses_in(Bytes octets) {
    std::vector<IpAddress> found;
    Address address;
    for (Reader in(octets); in.size() >= address.octets.size();) {
        const Bytes one = in.bytes(address.octets.size());
        std::copy(one.begin(), one.end(), address.octets.begin());
        found.emplace_back(address);
    }
    return found;
}

constexpr std::size_t duid_octets_max = 130;  // RFC 8415 section 11.1

void take_v6_option(std::uint16_t code, Bytes data, ServerReply& told) {
    if (code == v6_code::server_id)
        told.server = "DUID " + to_hex(data.first(std::min(data.size(), duid_octets_max)));
    if (code == v6_code::dns_servers)
        for (const IpAddress& one : addresses_in<Ipv6>(data)) told.plain.push_back(one);
    if (code == v6_dnr_code)
        if (const auto dnr = parse_v6_dnr(data)) told.encrypted.push_back(resolver_of(*dnr));
}

}  // namespace

Result<ServerReply> parse_v4_server_reply(Bytes message) {
    Reader in(message);
    if (in.u8() != V4Message::reply) in.fail("is not from a server");
    (void)in.bytes(v4_options_at - 1);
    if (in.u32() != cookie) in.fail("is no DHCP");
    if (in.failed()) return in.error("DHCPv4 message");
    const auto options = join_options(message);
    const auto option = [&](std::uint8_t code) {
        const bool there = options && options->contains(code);
        return there ? Bytes(options->at(code)) : Bytes();
    };
    ServerReply told;
    told.plain = addresses_in<Ipv4>(option(v4_code::dns_servers));
    if (const auto server = addresses_in<Ipv4>(option(v4_code::server)); !server.empty())
        told.server = to_text(server.front());
    if (const Bytes encrypted = option(v4_dnr_code); !encrypted.empty())
        if (const auto dnr = parse_v4_dnr(encrypted))
            for (const V4DnrInstance& one : *dnr) told.encrypted.push_back(resolver_of(one));
    return told;
}

Result<ServerReply> parse_v6_server_reply(Bytes message) {
    Reader in(message);
    const std::uint8_t type = in.u8();
    if (type != advertise && type != v6_type::reply && type != reconfigure)
        in.fail("is not from a server to a client");
    (void)in.bytes(transaction_octets);
    if (in.failed()) return in.error("DHCPv6 message");
    ServerReply told;
    while (!in.empty()) {
        const std::uint16_t code = in.u16();
        const Bytes data = in.bytes(in.u16());
        if (!in.failed()) take_v6_option(code, data, told);
    }
    return told;
}

}  // namespace porchlight::dhcp
