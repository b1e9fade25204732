#include "net/frame.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::net {
namespace {

using Payload = Frame::Payload;

const std::string macs = "333300000001 02005e100066 ";
const std::string v6_addresses =
    "fe800000000000000000000000000066 ff020000000000000000000000000001 ";
const std::string v4_addresses = "c0a84d42 ffffffff ";
const std::string advertisement = "8600 0000 40 00 0708 00000000 00000000 ";

std::string octets_of(std::size_t count, int digits = 4) {
    std::string text;
    for (; digits-- > 0; count >>= 4) text.insert(text.begin(), "0123456789abcdef"[count & 15]);
    return text + ' ';
}

/// An Ethernet frame of IPv6 with this first next header and this behind the header.
Buffer v6(const std::string& next, const std::string& payload, const std::string& type = "86dd") {
    return hex(macs + type + "60000000" + octets_of(hex(payload).size()) + next + "ff" +
               v6_addresses + payload);
}

Buffer v4(const std::string& fragment, const std::string& payload,
          const std::string& options = "") {
    const std::size_t header = 20 + hex(options).size();
    return hex(macs + "0800 4" + octets_of(header / 4, 1) + "00" +
               octets_of(header + hex(payload).size()) + "0000" + fragment + "4011 0000" +
               v4_addresses + options + payload);
}

bool hides_nothing(const Buffer& frame) {
    const auto parsed = parse_frame(frame);
    return parsed && parsed->payload == Payload::icmpv6 &&
           equal(parsed->octets, hex(advertisement));
}

Payload payload_of(const Buffer& frame) {
    const auto parsed = parse_frame(frame);
    CAPTURE(parsed ? "" : parsed.error().message);
    REQUIRE(parsed);
    return parsed->payload;
}

TEST_SUITE("net/frame") {
    TEST_CASE("an ICMPv6 message is found with who sent it") {
        const Buffer octets = v6("3a", advertisement);
        const auto frame = parse_frame(octets);
        REQUIRE(frame);
        CHECK(to_text(frame->source) == "02:00:5e:10:00:66");
        CHECK(to_text(frame->destination) == "33:33:00:00:00:01");
        CHECK(to_text(frame->source_address) == "fe80::66");
        CHECK(to_text(frame->destination_address) == "ff02::1");
        CHECK(frame->hop_limit == 255);
        CHECK(!frame->fragment);
        CHECK(hides_nothing(octets));
    }

    TEST_CASE("what stands behind the IPv6 packet in its frame is not part of it") {
        Buffer octets = v6("3a", advertisement);
        octets.insert(octets.end(), 6, 0);
        CHECK(hides_nothing(octets));
    }

    TEST_CASE("every extension header is looked through, however many there are") {
        const std::string to_icmp = "3a00 010400000000";
        for (const char* header : {"00", "2b", "3c", "87", "8b", "8c"})
            CHECK(hides_nothing(v6(header, to_icmp + advertisement)));
        CHECK(hides_nothing(v6("33", "3a01 0000 00000001 00000002" + advertisement)));
        CHECK(hides_nothing(v6("3c", "3a01 010c000000000000 000000000000" + advertisement)));
        std::string chain;
        for (int i = 0; i < 60; ++i) chain += "3c00 010400000000 ";
        CHECK(hides_nothing(v6("3c", chain + to_icmp + advertisement)));
    }

    TEST_CASE("VLAN tags and SNAP are looked through, as some hosts do") {
        CHECK(hides_nothing(v6("3a", advertisement, "8100 0000 86dd")));
        CHECK(hides_nothing(v6("3a", advertisement, "88a8 0001 8100 0000 9100 2000 86dd")));
        CHECK(hides_nothing(v6("3a", advertisement, "0040 aaaa03 000000 86dd")));
        CHECK(hides_nothing(v6("3a", advertisement, "8100 0000 0040 aaaa03 0000f8 86dd")));
        CHECK(payload_of(v6("3a", advertisement, "0040 424203 000000 86dd")) == Payload::other);
        CHECK(payload_of(v6("3a", advertisement, "0806")) == Payload::other);
    }

    TEST_CASE("of fragments the first one shows what it is, the others nothing") {
        const auto first = parse_frame(v6("2c", "3a00 0001 00000007" + advertisement));
        REQUIRE(first);
        CHECK(first->payload == Payload::icmpv6);
        CHECK(first->fragment);
        CHECK(payload_of(v6("2c", "3a00 0009 00000007" + advertisement)) == Payload::other);
        CHECK(payload_of(v6("2c", "3a00 0008 00000007" + advertisement)) == Payload::other);
        // One that has no others is whole (RFC 6946).
        const auto atomic = parse_frame(v6("2c", "3a00 0000 00000007" + advertisement));
        REQUIRE(atomic);
        CHECK(!atomic->fragment);
        CHECK(atomic->payload == Payload::icmpv6);
    }

    TEST_CASE("a first fragment that ends before its headers do hides something") {
        CHECK(payload_of(v6("2c", "3c00 0001 00000007")) == Payload::hidden);
        CHECK(payload_of(v6("2c", "3a00 0001 00000007")) == Payload::hidden);
        CHECK(payload_of(v6("2c", "1100 0001 00000007 0043 0044")) == Payload::hidden);
        CHECK(payload_of(v6("2c", "3c00 0001 00000007 3a01 010400000000")) == Payload::hidden);
        CHECK(payload_of(v6("3c", "2c00 010400000000 3c00 0001 00000007")) == Payload::hidden);
        // Of others nothing is asked: they can't be what this is about.
        CHECK(payload_of(v6("2c", "0600 0001 00000007")) == Payload::other);
    }

    TEST_CASE("without fragments that is no packet at all") {
        const auto cut = parse_frame(v6("3c", "3a01 010400000000"));
        REQUIRE(!cut);
        CHECK(cut.error().message.starts_with("Ethernet frame: ends within its headers"));
        CHECK(!parse_frame(v6("3a", "")));
        CHECK(!parse_frame(v6("2c", "3a00 00")));
    }

    TEST_CASE("every truncation of a chain is refused or is a shorter message") {
        const Buffer whole = v6("3c", "2b00 010400000000 3a00 000000000000" + advertisement);
        const std::size_t headers = 14 + 40 + 16;
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CAPTURE(size);
            CHECK(bool(parse_frame(Bytes(whole).first(size))) == (size > headers));
        }
    }

    TEST_CASE("UDP is found with its ports, in both families") {
        const Buffer octets = v6("11", "0223 0222 000a 0000 0701 ffff");
        const auto six = parse_frame(octets);
        REQUIRE(six);
        CHECK(six->payload == Payload::udp);
        CHECK(six->source_port == 547);
        CHECK(six->destination_port == 546);
        CHECK(equal(six->octets, hex("0701")));
        for (const char* options : {"", "01010101", "0101010101010101"}) {
            const Buffer with = v4("0000", "0043 0044 000a 0000 0201 ffff", options);
            const auto four = parse_frame(with);
            REQUIRE(four);
            CHECK(four->payload == Payload::udp);
            CHECK(to_text(four->source_address) == "192.168.77.66");
            CHECK(to_text(four->destination_address) == "255.255.255.255");
            CHECK(four->source_port == 67);
            CHECK(four->destination_port == 68);
            CHECK(equal(four->octets, hex("0201")));
            CHECK(four->hop_limit == 64);
        }
        // A length that can't be is none.
        CHECK(parse_frame(v4("0000", "0043 0044 0007 0000 0201"))->octets.empty());
    }

    TEST_CASE("IPv4 has fragments too") {
        CHECK(parse_frame(v4("2000", "0043 0044 0100 0000 0201"))->fragment);
        CHECK(payload_of(v4("2000", "0043 0044 0100 0000 0201")) == Payload::udp);
        CHECK(payload_of(v4("2001", "0043 0044 0100 0000 0201")) == Payload::other);
        CHECK(payload_of(v4("4000", "0043 0044 0100 0000 0201")) == Payload::udp);
    }

    TEST_CASE("what is no IP, or another protocol, is refused or nothing") {
        Buffer tcp = v4("0000", "0043 0044 000a 0000");
        tcp[14 + 9] = 6;
        CHECK(payload_of(tcp) == Payload::other);
        CHECK(payload_of(v6("06", "0043 0044")) == Payload::other);
        CHECK(payload_of(v6("3b", "")) == Payload::other);
        Buffer octets = v6("3a", advertisement);
        octets[14] = 0x40;
        CHECK(!parse_frame(octets));
        octets = v4("0000", "0043 0044 000a 0000");
        octets[14] = 0x65;
        CHECK(!parse_frame(octets));
        octets[14] = 0x44;  // a header of 16 octets
        CHECK(!parse_frame(octets));
        octets[14] = 0x48;  // a header longer than the packet
        CHECK(!parse_frame(octets));
        octets = v4("0000", "01010101 01010101 01010101 0043 0044 000a 0000 0201");
        octets[14] = 0x48;
        REQUIRE(payload_of(octets) == Payload::udp);
        octets[17] = 24;  // but what is behind it in the frame would do
        CHECK(!parse_frame(octets));
        CHECK(!parse_frame(v4("0000", "0043 00")));
        CHECK(!parse_frame({}));
    }

    TEST_CASE("hardware addresses are read and written") {
        CHECK(to_text(*parse_mac_address("02:00:5E:1a:Bc:fF")) == "02:00:5e:1a:bc:ff");
        for (const char* wrong : {"", "02:00:5e:1a:bc", "02:00:5e:1a:bc:f", "02:00:5e:1a:bc:fg",
                                  "02-00:5e:1a:bc:ff", "02:00:5e:1a:bc:ff:", "02:00:5e:1a:bc:f/"}) {
            CAPTURE(wrong);
            CHECK(!parse_mac_address(wrong));
        }
    }
}

}  // namespace
}  // namespace porchlight::net
