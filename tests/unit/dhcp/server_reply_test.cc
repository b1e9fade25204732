#include "dhcp/server_reply.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dhcp {
namespace {

/// A DHCPv4 message of which only the op octet and the options matter.
Buffer v4(std::uint8_t op, std::string_view options) {
    Buffer all(236);
    all[0] = op;
    for (std::string_view part : {std::string_view("63825363"), options})
        for (std::uint8_t octet : hex(part)) all.push_back(octet);
    return all;
}

const Buffer reply =
    hex("07 010203"
        "0002 000a 00030001 02005e100066"
        "0017 0020 20010db8000000000000000000000066 fd770000000000000000000000000001"
        "0090 0009 0001 0005 03646e7300");

TEST_SUITE("dhcp/server_reply") {
    TEST_CASE("a DHCPv4 server's message says who it is and which resolvers hosts shall ask") {
        const auto told =
            parse_v4_server_reply(v4(2, "350105 3604c0a84d42 0608c0a84d4208080808 ff"));
        REQUIRE(told);
        CHECK(told->server == "192.168.77.66");
        REQUIRE(told->plain.size() == 2);
        CHECK(to_text(told->plain[1]) == "8.8.8.8");
        CHECK(told->encrypted.empty());
    }

    TEST_CASE("encrypted resolvers are among them, where the option is good") {
        const auto good = parse_v4_server_reply(v4(2, "a20a 0008 0001 05 03646e7300 ff"));
        REQUIRE(good);
        REQUIRE(good->encrypted.size() == 1);
        CHECK(dns::to_host(good->encrypted[0].adn) == "dns");
        // One that no host takes spoils nothing else.
        const auto bad = parse_v4_server_reply(v4(2, "0604 08080808 a204 00000000 ff"));
        REQUIRE(bad);
        CHECK(bad->encrypted.empty());
        CHECK(bad->plain.size() == 1);
    }

    TEST_CASE("a client's message is no server's, nor is what is no DHCP") {
        CHECK(!parse_v4_server_reply(v4(1, "350101 ff")));
        Buffer no_cookie = v4(2, "ff");
        no_cookie[236] = 0;
        CHECK(!parse_v4_server_reply(no_cookie));
        CHECK(!parse_v4_server_reply({}));
        // It need not say more to be one.
        CHECK(parse_v4_server_reply(v4(2, "")));
        CHECK(parse_v4_server_reply(v4(2, "36ff"))->server.empty());
    }

    TEST_CASE("a DHCPv6 server's message says the same") {
        const auto told = parse_v6_server_reply(reply);
        REQUIRE(told);
        CHECK(told->server == "DUID 0003000102005e100066");
        REQUIRE(told->plain.size() == 2);
        CHECK(to_text(told->plain[0]) == "2001:db8::66");
        REQUIRE(told->encrypted.size() == 1);
        CHECK(dns::to_host(told->encrypted[0].adn) == "dns");
    }

    TEST_CASE("what can be read of a cut message counts") {
        for (std::size_t size = 0; size < reply.size(); ++size) {
            CAPTURE(size);
            const auto told = parse_v6_server_reply(Bytes(reply).first(size));
            REQUIRE(bool(told) == (size >= 4));
            if (told) CHECK(told->encrypted.empty());
            if (told) CHECK(told->server.empty() == (size < 18));
            if (told) CHECK(told->plain.size() == (size >= 54 ? 2 : 0));
        }
    }

    TEST_CASE("only what servers send to clients counts") {
        for (std::uint8_t type = 0; type < 20; ++type) {
            CAPTURE(type);
            Buffer message = reply;
            message[0] = type;
            CHECK(bool(parse_v6_server_reply(message)) == (type == 2 || type == 7 || type == 10));
        }
    }

    TEST_CASE("an encrypted resolver that no host takes is left out") {
        const auto told = parse_v6_server_reply(hex("02 010203 0090 0003 000100"));
        REQUIRE(told);
        CHECK(told->encrypted.empty());
    }
}

}  // namespace
}  // namespace porchlight::dhcp
