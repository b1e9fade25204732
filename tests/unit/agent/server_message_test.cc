#include "agent/server_message.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::agent {
namespace {

const std::string rdnss = "1903 0000 00000708 fd660000000000000000000000000053";
const std::string rdnss_withdrawn = "1903 0000 00000000 fd660000000000000000000000000053";
const std::string dnr = "9002 0001 00000708 0005 03646e7300 00";

net::Frame frame(net::Frame::Payload payload, const Buffer& octets) {
    net::Frame frame;
    frame.source_address = *parse_ipv6("fe80::66");
    frame.hop_limit = 255;
    frame.payload = payload;
    frame.octets = octets;
    return frame;
}

Buffer advertisement(const std::string& lifetime, const std::string& options) {
    return hex("8600 0000 40 00" + lifetime + "00000000 00000000" + options);
}

TEST_SUITE("agent/server_message") {
    using Payload = net::Frame::Payload;

    TEST_CASE("an advertisement's resolvers are told, those taken back are not") {
        const Buffer octets = advertisement("0708", rdnss + rdnss_withdrawn + dnr);
        const auto told = server_message(frame(Payload::icmpv6, octets));
        REQUIRE(told);
        CHECK(told->kind == ServerKind::advertisement);
        CHECK(told->leads_away);
        CHECK(told->plain == std::vector<IpAddress>{*parse_ipv6("fd66::53")});
        REQUIRE(told->encrypted.size() == 1);
        CHECK(dns::to_host(told->encrypted[0].adn) == "dns");
    }

    TEST_CASE("a border router of another network leads nobody away") {
        const Buffer octets = advertisement("0000", "1803 4000 00000708 fd0000000000000000");
        // The option above is one octet too long for its Length on purpose: hosts discard that.
        CHECK(!server_message(frame(Payload::icmpv6, octets)));
        const Buffer good =
            advertisement("0000", "1803 4000 00000708 fd000000000000000000000000000000");
        const auto told = server_message(frame(Payload::icmpv6, good));
        REQUIRE(told);
        CHECK(!told->leads_away);
    }

    TEST_CASE("a first fragment that shows no more than its port is a server's") {
        for (const auto& [port, kind] : {std::pair(std::uint16_t(68), ServerKind::dhcpv4),
                                         std::pair(std::uint16_t(546), ServerKind::dhcpv6)}) {
            net::Frame cut = frame(Payload::udp, {});
            cut.destination_port = port;
            CHECK(!server_message(cut));
            cut.fragment = true;
            const auto told = server_message(cut);
            REQUIRE(told);
            CHECK(told->kind == kind);
        }
    }

    TEST_CASE("what every host discards is no message") {
        const Buffer octets = advertisement("0708", rdnss);
        net::Frame far = frame(Payload::icmpv6, octets);
        far.hop_limit = 254;
        CHECK(!server_message(far));
        net::Frame global = frame(Payload::icmpv6, octets);
        global.source_address = *parse_ipv6("2001:db8::66");
        CHECK(!server_message(global));
        const Buffer solicitation = hex("8500 0000 00000000");
        CHECK(!server_message(frame(Payload::icmpv6, solicitation)));
    }

    TEST_CASE("a fragment of an advertisement is one, though nobody knows what it says") {
        const Buffer octets = hex("86");
        net::Frame part = frame(Payload::icmpv6, octets);
        CHECK(!server_message(part));
        part.fragment = true;
        const auto told = server_message(part);
        REQUIRE(told);
        CHECK(told->kind == ServerKind::advertisement);
        CHECK(told->leads_away);
        const Buffer echo = hex("80");
        part.octets = echo;
        CHECK(!server_message(part));
    }

    TEST_CASE("DHCP is known by the client's port, from whatever port it comes") {
        const Buffer six = hex("07 010203 0017 0010 fd660000000000000000000000000053");
        net::Frame datagram = frame(Payload::udp, six);
        datagram.destination_port = 546;
        const auto told = server_message(datagram);
        REQUIRE(told);
        CHECK(told->kind == ServerKind::dhcpv6);
        CHECK(told->plain.size() == 1);
        datagram.destination_port = 547;
        CHECK(!server_message(datagram));
        datagram.destination_port = 68;
        CHECK(!server_message(datagram));

        Buffer four(236);
        four[0] = 2;
        for (std::uint8_t octet : hex("63825363 0604 c0a84d42 3604 c0a84d42 ff"))
            four.push_back(octet);
        datagram.octets = four;
        const auto offered = server_message(datagram);
        REQUIRE(offered);
        CHECK(offered->kind == ServerKind::dhcpv4);
        CHECK(offered->server == "192.168.77.66");
        datagram.destination_port = 67;
        CHECK(!server_message(datagram));
    }

    TEST_CASE("who hides what he sends is told, all else is nothing") {
        const auto hidden = server_message(frame(Payload::hidden, {}));
        REQUIRE(hidden);
        CHECK(hidden->kind == ServerKind::hidden);
        CHECK(!server_message(frame(Payload::other, {})));
    }

    TEST_CASE("each kind has a word of its own, and a count") {
        std::string words;
        PerServerKind counted;
        for (const ServerKind kind : server_kinds) {
            words += std::string(word_of(kind)) + " ";
            counted[kind] += words.size();
        }
        CHECK(words == "router_advertisement dhcpv6 dhcpv4 hidden ");
        CHECK(counted == PerServerKind{{21, 28, 35, 42}});
        CHECK(counted.sum() == 126);
    }
}

}  // namespace
}  // namespace porchlight::agent
