#include "agent/server_message.h"

#include "dhcp/server_reply.h"
#include "dhcp/v4_message.h"
#include "dhcp/v6_message.h"
#include "ra/advertisement.h"
#include "ra/dnr_option.h"
#include "ra/options.h"
#include "ra/told_resolvers.h"

namespace porchlight::agent {
namespace {

void take_option(const Buffer& option, ServerMessage& told) {
    if (option == ra::withdrawn(option)) return;
    if (option[0] == ra::rdnss_option_type)
        for (const Ipv6& address : ra::rdnss_addresses(option)) told.plain.push_back(address);
    if (option[0] == ra::dnr_option_type)
        if (const auto dnr = ra::parse_dnr_option(option))
            told.encrypted.push_back(ra::resolver_of(*dnr));
}

std::optional<ServerMessage> advertisement(const net::Frame& frame) {
    const auto* source = std::get_if<Ipv6>(&frame.source_address);
    if (source == nullptr || frame.octets.front() != ra::advertisement_type) return std::nullopt;
    ServerMessage told;
    // The rest of a fragmented one is not here, and no host of today would take it (RFC 6980).
    if (frame.fragment) return told;
    const auto heard = ra::parse_advertisement(frame.octets, {*source, frame.hop_limit});
    if (!heard) return std::nullopt;
    told.leads_away = heard->header.router_lifetime.count() > 0;
    for (const Buffer& option : heard->options) take_option(option, told);
    return told;
}

ServerMessage told_by(ServerKind kind, dhcp::ServerReply reply) {
    return {kind, true, std::move(reply.server), std::move(reply.plain),
            std::move(reply.encrypted)};
}

std::optional<ServerMessage> datagram(const net::Frame& frame) {
    // Clients look at the port that they listen on, not at the one that an answer comes from. They
    // put fragments together, the first of which may say no more than that port.
    if (frame.destination_port == dhcp::v4_client_port) {
        auto reply = dhcp::parse_v4_server_reply(frame.octets);
        if (reply) return told_by(ServerKind::dhcpv4, std::move(*reply));
        if (frame.fragment) return told_by(ServerKind::dhcpv4, {});
    }
    if (frame.destination_port == dhcp::v6_client_port) {
        auto reply = dhcp::parse_v6_server_reply(frame.octets);
        if (reply) return told_by(ServerKind::dhcpv6, std::move(*reply));
        if (frame.fragment) return told_by(ServerKind::dhcpv6, {});
    }
    return std::nullopt;
}

}  // namespace

std::string_view word_of(ServerKind kind) {
    switch (kind) {
        case ServerKind::advertisement:
            return "router_advertisement";
        case ServerKind::dhcpv6:
            return "dhcpv6";
        case ServerKind::dhcpv4:
            return "dhcpv4";
        case ServerKind::hidden:
            break;
    }
    return "hidden";
}

std::optional<ServerMessage> server_message(const net::Frame& frame) {
    switch (frame.payload) {
        case net::Frame::Payload::icmpv6:
            return advertisement(frame);
        case net::Frame::Payload::udp:
            return datagram(frame);
        case net::Frame::Payload::hidden: {
            ServerMessage hidden;
            hidden.kind = ServerKind::hidden;
            return hidden;
        }
        case net::Frame::Payload::other:
            break;
    }
    return std::nullopt;
}

}  // namespace porchlight::agent
