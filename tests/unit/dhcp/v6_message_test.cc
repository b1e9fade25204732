#include "dhcp/v6_message.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dhcp {
namespace {

const Buffer full =
    hex("07 5eed01"                         // Reply
        "0001 0004 00030001"                // Client Identifier
        "0002 0004 00030002"                // Server Identifier
        "0090 0009 0001 0005 03646e7300");  // Encrypted DNS

TEST_SUITE("dhcp/v6_message") {
    TEST_CASE("a Reply survives a round trip") {
        const auto message = parse_v6_message(full);
        REQUIRE(message);
        CHECK(message->type == v6_type::reply);
        CHECK(message->transaction == 0x5eed01);
        REQUIRE(message->options.size() == 3);
        REQUIRE(message->option(144) != nullptr);
        CHECK(message->option(144)->data == hex("0001 0005 03646e7300"));
        CHECK(message->option(23) == nullptr);
        Writer out;
        write(out, *message);
        CHECK(*out.take() == full);
    }

    TEST_CASE("a transaction has 24 bits, whatever it was given") {
        Writer out;
        write(out, V6Message{v6_type::information_request, 0xff000001, {}});
        CHECK(*out.take() == hex("0b 000001"));
    }

    TEST_CASE("every truncation is refused, unless it falls between options") {
        for (std::size_t size = 0; size < full.size(); ++size) {
            const bool whole = size == 4 || size == 12 || size == 20;
            CAPTURE(size);
            CHECK(bool(parse_v6_message(Bytes(full).first(size))) == whole);
        }
    }

    TEST_CASE("an answer is a Reply that names its server and this client") {
        V6Message asked{v6_type::information_request, 0x5eed01, {}};
        asked.options.push_back({v6_code::client_id, hex("00030001")});
        const V6Message good = *parse_v6_message(full);
        CHECK(is_answer(good, asked));

        const auto refused = [&](auto change) {
            V6Message bad = good;
            change(bad);
            return !is_answer(bad, asked);
        };
        CHECK(refused([](V6Message& bad) { bad.type = 2; }));
        CHECK(refused([](V6Message& bad) { bad.transaction = 1; }));
        CHECK(refused([](V6Message& bad) { bad.options.erase(bad.options.begin()); }));
        CHECK(refused([](V6Message& bad) { bad.options.erase(bad.options.begin() + 1); }));
        CHECK(refused([](V6Message& bad) { bad.options[0].data = hex("00030009"); }));
        asked.options.clear();
        CHECK(!is_answer(good, asked));
    }
}

}  // namespace
}  // namespace porchlight::dhcp
