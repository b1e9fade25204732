#pragma once

#include <cstdint>

#include "core/address.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"

namespace porchlight::net {

/// A UDP datagram with its header (RFC 768), as raw sockets of IPv6 have it. The payload is
/// borrowed.
struct UdpDatagram {
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    Bytes payload;
};

/// Refuses what is cut short; what stands behind the datagram is padding. Its checksum is not
/// looked at: the kernel did that, and between machines in one box there may be none yet.
Result<UdpDatagram> parse_udp(Bytes octets);

/// Without a checksum, which IPv4 allows and the kernel fills in for IPv6.
void write(Writer& out, const UdpDatagram& datagram);

/// The same behind an IPv4 header (RFC 791), as packet sockets and raw sockets of IPv4 have it.
struct UdpPacket {
    Ipv4 source;
    Ipv4 destination;
    UdpDatagram datagram;
};

/// Refuses everything but whole UDP, so fragments too.
Result<UdpPacket> parse_udp_packet(Bytes octets);

void write(Writer& out, const UdpPacket& packet);

}  // namespace porchlight::net
