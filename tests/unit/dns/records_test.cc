#include "dns/records.h"

#include <doctest/doctest.h>

#include "dns/query.h"
#include "hex.h"

namespace porchlight::dns {
namespace {

const Buffer message =
    hex("0001 8180 0001 0001 0001 0001"
        "0161 0474657374 00 0001 0001"                  // a.test A
        "c00c 0005 0001 00000009 0004 0162 c00e"        // CNAME b.test
        "c00e 0002 0001 0000000a 0005 026e73 c00e"      // NS ns.test
        "0162 c00e 0001 0001 0000000b 0004 c0000201");  // b.test A

TEST_SUITE("dns/records") {
    TEST_CASE("records in their order, with sections, owners and data") {
        Buffer whole = message;
        const auto records = records_of(whole);
        REQUIRE(records.size() == 3);
        CHECK(records[0].section == Section::answer);
        CHECK(to_host(records[0].owner) == "a.test");
        CHECK(records[0].type == type::cname);
        CHECK(records[0].ttl == 9);
        CHECK(records[1].section == Section::authority);
        CHECK(to_host(records[1].owner) == "test");
        CHECK(records[2].section == Section::additional);
        CHECK(equal(records[2].data, hex("c0000201")));
        CHECK(to_host(*end_of_chain(whole, records, *parse_name("a.test"))) == "b.test");
        CHECK(to_host(*end_of_chain(whole, records, *parse_name("c.test"))) == "c.test");
    }

    TEST_CASE("a message that is cut short gives what is whole") {
        for (std::size_t size = 24; size < message.size(); ++size)
            CHECK(records_of(Bytes(message).first(size)).size() < 3);
    }

    TEST_CASE("names that run on, point forward or into nothing are none") {
        const auto expanded = [](std::string_view octets, std::size_t at) {
            const Buffer all = hex(octets);
            return expand_name(all, at);
        };
        CHECK(expanded("00 0161 c000", 1));
        CHECK(!expanded("c000", 0));
        CHECK(!expanded("c005 00 00 00 00", 0));
        CHECK(!expanded("05 61", 0));
        CHECK(!expanded("00 c0", 1));
        CHECK(!expanded("", 0));
    }

    TEST_CASE("a chain without end is cut") {
        const Buffer circle =
            hex("0001 8180 0001 0001 0000 0000 0161 00 0001 0001"
                "c00c 0005 0001 00000009 0002 c00c");
        const auto records = records_of(circle);
        CHECK(to_host(*end_of_chain(circle, records, *parse_name("a"))) == "a");
    }
}

}  // namespace
}  // namespace porchlight::dns
