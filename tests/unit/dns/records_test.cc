#include "dns/records.h"

#include <doctest/doctest.h>

#include <string>

#include "core/writer.h"
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
        CHECK(all_belong(circle, records, *parse_name("a")));
    }

    TEST_CASE("what a question leads to belongs, sections behind the answer to nobody") {
        const auto records = records_of(message);
        CHECK(all_belong(message, records, *parse_name("A.test")));
        CHECK(!all_belong(message, records, *parse_name("b.test")));
        CHECK(all_belong(message, {}, *parse_name("b.test")));
    }

    TEST_CASE("a DNAME leads on, but neither its owner nor a name that grows too long") {
        // example DNAME test, and an A of `owner`.
        const auto belongs = [](const Name& asked, std::string_view owner) {
            Writer out;
            out.bytes(hex("0001 8180 0001 0002 0000 0000"));
            write(out, asked);
            out.bytes(hex("0001 0001"));
            const auto put = [&](const Name& name, std::uint16_t record_type, Bytes data) {
                write(out, name);
                out.u16(record_type);
                out.bytes(hex("0001 00000009"));
                out.counted_u16([&] { out.bytes(data); });
            };
            const Buffer target = hex("04 74657374 04 6c6f6e67 04 6c6f6e67 00");
            put(*parse_name("example"), type::dname, target);
            put(*parse_name(owner), type::a, hex("c0000201"));
            const Buffer whole = *out.take();
            return all_belong(whole, records_of(whole), asked);
        };
        CHECK(belongs(*parse_name("a.example"), "a.test.long.long"));
        CHECK(belongs(*parse_name("a.b.example"), "a.b.test.long.long"));
        CHECK(belongs(*parse_name("a.example"), "example"));  // as its signature does
        CHECK(!belongs(*parse_name("a.example"), "test.long.long"));
        CHECK(!belongs(*parse_name("example"), "test.long.long"));
        CHECK(!belongs(*parse_name("a.exempli"), "a.exempli"));
        std::string label(60, 'a');
        const std::string prefix = label + "." + label + "." + label + "." + label + ".";
        CHECK(!belongs(*parse_name(prefix + "example"), "."));
    }

    TEST_CASE("a chain that nobody follows to its end belongs to none") {
        const auto chain = [](int links) {
            Writer out;
            out.bytes(hex("0001 8180 0001"));
            out.u16(static_cast<std::uint16_t>(links));
            out.bytes(hex("0000 0000"));
            const auto link = [&](int number) {
                write(out, *parse_name("n" + std::to_string(number)));
            };
            link(0);
            out.bytes(hex("0001 0001"));
            for (int i = 0; i < links; ++i) {
                link(i);
                out.bytes(hex("0005 0001 00000009"));
                out.counted_u16([&] { link(i + 1); });
            }
            const Buffer whole = *out.take();
            return all_belong(whole, records_of(whole), *parse_name("n0"));
        };
        CHECK(chain(31));
        CHECK(!chain(32));
    }
}

}  // namespace
}  // namespace porchlight::dns
