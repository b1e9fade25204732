#include "dhcp/v4_message.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dhcp {
namespace {

/// An answer of dnsmasq 2.90 to a DHCPINFORM, as it came, cut behind its options.
Buffer answer() {
    Buffer all =
        hex("02010600 5eed0001 0000 0000"  // reply, Ethernet, transaction
            "c0a84d05 00000000"            // ciaddr, yiaddr
            "c0a84d01 00000000"            // next server, relay
            "020000000005 00000000000000000000");
    all.resize(236);
    for (std::uint8_t octet : hex("63825363 350105 3604c0a84d01 0604c0a84d01 ff"))
        all.push_back(octet);
    return all;
}

Buffer written(const V4Message& message) {
    Writer out;
    write(out, message);
    return *out.take();
}

TEST_SUITE("dhcp/v4_message") {
    TEST_CASE("an answer is read") {
        const auto message = parse_v4_message(answer());
        REQUIRE(message);
        CHECK(message->op == V4Message::reply);
        CHECK(message->transaction == 0x5eed0001);
        CHECK(!message->broadcast);
        CHECK(message->client == *parse_ipv4("192.168.77.5"));
        CHECK(message->yours == Ipv4());
        CHECK(equal(message->hardware_address, hex("020000000005")));
        CHECK(message->type() == v4_type::ack);
        CHECK(equal(message->option(v4_code::server), hex("c0a84d01")));
        CHECK(message->option(162).empty());
    }

    TEST_CASE("what is written is read again, long options and empty ones too") {
        V4Message asked;
        asked.transaction = 7;
        asked.broadcast = true;
        asked.yours = *parse_ipv4("192.0.2.1");
        asked.hardware_address = {2, 0, 0, 0, 0, 9};
        asked.options[v4_code::message_type] = {v4_type::discover};
        asked.options[80] = {};
        asked.options[162] = Buffer(600, 1);
        const Buffer octets = written(asked);
        CHECK(octets[10] == 0x80);
        const auto again = parse_v4_message(octets);
        REQUIRE(again);
        CHECK(*again == asked);
    }

    TEST_CASE("a short message is filled to what relays want, a long one is not") {
        CHECK(written({}).size() == 300);
        V4Message asked;
        asked.options[162] = Buffer(100, 1);
        CHECK(written(asked).size() == 236 + 4 + 102 + 1);
    }

    TEST_CASE("every truncation is refused, but that of the final octet") {
        const Buffer full = answer();
        for (std::size_t size = 0; size + 1 < full.size(); ++size) {
            // Between two options a message may end: the end option is a matter of form.
            const bool whole = size == 240 || size == 243 || size == 249;
            CAPTURE(size);
            CHECK(bool(parse_v4_message(Bytes(full).first(size))) == whole);
        }
    }

    TEST_CASE("another link, another hardware address, no DHCP: refused") {
        for (const auto& [at, value] : {std::pair{0, 3}, std::pair{0, 0}, std::pair{1, 6},
                                        std::pair{2, 16}, std::pair{236, 0}}) {
            CAPTURE(at);
            Buffer changed = answer();
            changed[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
            CHECK(!parse_v4_message(changed));
        }
    }

    TEST_CASE("a type that is not one octet is none") {
        V4Message message;
        CHECK(message.type() == 0);
        message.options[v4_code::message_type] = {5, 5};
        CHECK(message.type() == 0);
    }

    TEST_CASE("an answer is a server's, to this client, of the kind that was asked for") {
        V4Message asked;
        asked.transaction = 0x5eed0001;
        asked.hardware_address = {2, 0, 0, 0, 0, 5};
        asked.options[v4_code::message_type] = {v4_type::inform};
        const V4Message good = *parse_v4_message(answer());
        CHECK(is_answer(good, asked));

        const auto refused = [&](auto change) {
            V4Message bad = good;
            change(bad);
            return !is_answer(bad, asked);
        };
        CHECK(refused([](V4Message& bad) { bad.transaction = 1; }));
        CHECK(refused([](V4Message& bad) { bad.op = V4Message::request; }));
        CHECK(refused([](V4Message& bad) { bad.hardware_address[5] = 6; }));
        CHECK(refused([](V4Message& bad) { bad.options[v4_code::message_type] = {6}; }));

        asked.options[v4_code::message_type] = {v4_type::discover};
        CHECK(!is_answer(good, asked));
        V4Message offer = good;
        offer.options[v4_code::message_type] = {v4_type::offer};
        CHECK(is_answer(offer, asked));
    }
}

}  // namespace
}  // namespace porchlight::dhcp
