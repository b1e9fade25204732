#include "net/udp_packet.h"

#include "core/reader.h"

namespace porchlight::net {
namespace {

constexpr std::size_t udp_header_octets = 8;
constexpr std::size_t ip_header_octets = 20;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t time_to_live = 64;
constexpr std::uint16_t more_fragments_and_offset = 0x3fff;

Ipv4 read_ipv4(Reader& in) {
    Ipv4 address;
    for (std::uint8_t& octet : address.octets) octet = in.u8();
    return address;
}

/// RFC 1071, of an even number of octets.
std::uint16_t checksum(Bytes octets) {
    std::uint32_t sum = 0;
    Reader in(octets);
    while (!in.empty()) sum += in.u16();
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace

Result<UdpDatagram> parse_udp(Bytes octets) {
    Reader in(octets);
    UdpDatagram datagram;
    datagram.source_port = in.u16();
    datagram.destination_port = in.u16();
    const std::size_t size = in.u16();
    (void)in.u16();  // checksum
    if (size < udp_header_octets) in.fail("has a length below its header's");
    datagram.payload = in.bytes(size < udp_header_octets ? 0 : size - udp_header_octets);
    if (in.failed()) return in.error("UDP");
    return datagram;
}

void write(Writer& out, const UdpDatagram& datagram) {
    out.u16(datagram.source_port);
    out.u16(datagram.destination_port);
    out.u16(static_cast<std::uint16_t>(udp_header_octets + datagram.payload.size()));
    out.u16(0);
    out.bytes(datagram.payload);
}

Result<UdpPacket> parse_udp_packet(Bytes octets) {
    Reader in(octets);
    const std::uint8_t first = in.u8();
    const std::size_t header = std::size_t(first & 0x0f) * 4;
    if (first >> 4 != 4 || header < ip_header_octets) in.fail("is no IPv4");
    (void)in.u8();
    const std::size_t size = in.u16();
    if (size < header || size > octets.size()) in.fail("has a length that is not its own");
    (void)in.u16();
    if ((in.u16() & more_fragments_and_offset) != 0) in.fail("is a fragment");
    (void)in.u8();
    if (in.u8() != protocol_udp) in.fail("is no UDP");
    (void)in.u16();  // the header's checksum: the kernel looked at it, or nobody filled it in yet
    UdpPacket packet;
    packet.source = read_ipv4(in);
    packet.destination = read_ipv4(in);
    if (in.failed()) return in.error("IPv4");
    auto datagram = parse_udp(octets.subspan(header, size - header));
    if (!datagram) return datagram.error();
    packet.datagram = *datagram;
    return packet;
}

void write(Writer& out, const UdpPacket& packet) {
    const std::size_t start = out.size();
    out.u8(0x45);
    out.u8(0);
    out.u16(static_cast<std::uint16_t>(ip_header_octets + udp_header_octets +
                                       packet.datagram.payload.size()));
    out.u16(0);
    out.u16(0);
    out.u8(time_to_live);
    out.u8(protocol_udp);
    out.u16(0);
    out.bytes(packet.source);
    out.bytes(packet.destination);
    out.patch_u16(start + 10, checksum(out.view().subspan(start, ip_header_octets)));
    write(out, packet.datagram);
}

}  // namespace porchlight::net
