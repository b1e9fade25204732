#include "net/udp_packet.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::net {
namespace {

const Buffer full =
    hex("4500 001f 0000 0000 4011 7acf 00000000 ffffffff"  // IPv4
        "0044 0043 000b 0000"                              // UDP
        "010203");

TEST_SUITE("net/udp_packet") {
    TEST_CASE("a packet is written as RFC 791 and RFC 768 have it, and read again") {
        const Buffer payload = hex("010203");
        Writer out;
        write(out, UdpPacket{Ipv4{}, {{255, 255, 255, 255}}, {68, 67, payload}});
        CHECK(to_hex(out.view()) == to_hex(full));
        const auto packet = parse_udp_packet(full);
        REQUIRE(packet);
        CHECK(packet->source == Ipv4{});
        CHECK(packet->destination == Ipv4{{255, 255, 255, 255}});
        CHECK(packet->datagram.source_port == 68);
        CHECK(packet->datagram.destination_port == 67);
        CHECK(equal(packet->datagram.payload, payload));
    }

    TEST_CASE("options of IPv4 are passed over, and so is a frame's padding") {
        Buffer padded = full;
        padded.insert(padded.begin() + 20, 4, 1);
        padded[0] = 0x46;
        padded[3] = 0x23;
        padded.resize(60);
        const auto packet = parse_udp_packet(padded);
        REQUIRE(packet);
        CHECK(equal(packet->datagram.payload, hex("010203")));
    }

    TEST_CASE("every truncation is refused") {
        for (std::size_t size = 0; size < full.size(); ++size) {
            CAPTURE(size);
            CHECK(!parse_udp_packet(Bytes(full).first(size)));
        }
    }

    TEST_CASE("another version, another protocol, fragments, lengths that lie: refused") {
        const auto refused = [](std::size_t at, std::uint8_t value) {
            Buffer changed = full;
            changed[at] = value;
            return !parse_udp_packet(changed);
        };
        CHECK(refused(0, 0x65));
        CHECK(refused(0, 0x44));
        CHECK(refused(3, 0x13));     // shorter than its header
        CHECK(refused(6, 0x20));     // more fragments
        CHECK(refused(7, 0x01));     // a later fragment
        CHECK(refused(9, 6));        // TCP
        CHECK(refused(25, 7));       // UDP shorter than its header
        CHECK(refused(25, 0x0c));    // UDP beyond its packet
        Buffer short_header = full;  // and a length of UDP where that would be then
        short_header[0] = 0x44;
        short_header[21] = 0x0b;
        CHECK(!parse_udp_packet(short_header));
        Buffer into_padding = full;
        into_padding[25] = 0x0c;
        into_padding.resize(60);
        CHECK(!parse_udp_packet(into_padding));
    }
}

}  // namespace
}  // namespace porchlight::net
