#include "dns/designations.h"

#include <doctest/doctest.h>

#include "dns/query.h"
#include "hex.h"

namespace porchlight::dns {
namespace {

const Buffer name = hex("045f646e73 087265736f6c766572 0461727061 00");  // _dns.resolver.arpa

/// A response to the question for SVCB, with the flags and records given.
Buffer response(std::string_view flags, std::string_view counts, const Buffer& records) {
    Buffer all = hex("0001");
    const auto add = [&](const Buffer& more) { all.insert(all.end(), more.begin(), more.end()); };
    add(hex(flags));
    add(hex("0001"));
    add(hex(counts));
    add(name);
    add(hex("0040 0001"));
    add(records);
    return all;
}

Buffer operator+(Buffer a, const Buffer& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

// Owner by pointer, SVCB, IN, 300 s.
const Buffer dot =
    hex("c00c 0040 0001 0000012c 001a 0001 03646e73 0474657374 00"  // dns.test
        "0001 0004 03 646f74"                                       // alpn=dot
        "0003 0002 0355");                                          // port=853
const Buffer hinted =
    hex("c00c 0040 0001 0000012c 001c 0002 03646e73 0474657374 00"
        "0001 0004 03 646f74"
        "0004 0004 c0000235");  // ipv4hint=192.0.2.53
const Buffer broken = hex("c00c 0040 0001 0000012c 0004 0001 0364");
const Buffer address = hex("03646e73 0474657374 00 0001 0001 0000012c 0004 c0a84d01");

TEST_SUITE("dns/designations") {
    TEST_CASE("designations, the preferred first, with the addresses of their targets") {
        const auto found = parse_designations(
            response("8180", "0002 0000 0001", hinted + dot + address), designation_question());
        REQUIRE(found);
        REQUIRE(found->size() == 2);
        CHECK((*found)[0].svcb.priority == 1);
        CHECK(to_host((*found)[0].svcb.target) == "dns.test");
        CHECK((*found)[0].svcb.params.port == 853);
        CHECK((*found)[0].ttl == std::chrono::minutes(5));
        CHECK(to_hex((*found)[0].rdata) == to_hex(Bytes(dot).subspan(12)));
        CHECK((*found)[0].addresses == std::vector{*parse_address("192.168.77.1")});
        // What the additional section says beats the hint.
        CHECK((*found)[1].addresses == std::vector{*parse_address("192.168.77.1")});
    }

    TEST_CASE("an address is taken once, and of the target alone") {
        const Buffer stranger = hex("03626164 0474657374 00 0001 0001 0000012c 0004 c0a84d02");
        const auto found = parse_designations(
            response("8180", "0001 0000 0003", dot + address + address + stranger),
            designation_question());
        REQUIRE(found);
        CHECK(found->at(0).addresses == std::vector{*parse_address("192.168.77.1")});
    }

    TEST_CASE("without an additional section hints count, and what nobody connects to does not") {
        const auto found =
            parse_designations(response("8180", "0001 0000 0000", hinted), designation_question());
        REQUIRE(found);
        CHECK(found->at(0).addresses == std::vector{*parse_address("192.0.2.53")});
        // An address in the answer section answers nothing that was asked.
        const auto elsewhere = parse_designations(
            response("8180", "0002 0000 0000", hinted + address), designation_question());
        REQUIRE(elsewhere);
        CHECK(elsewhere->at(0).addresses == std::vector{*parse_address("192.0.2.53")});
        Buffer loopback = hinted;
        loopback[loopback.size() - 4] = 127;
        const auto none = parse_designations(response("8180", "0001 0000 0000", loopback),
                                             designation_question());
        REQUIRE(none);
        CHECK(none->at(0).addresses.empty());
    }

    TEST_CASE("a record that can't be read hurts no other") {
        const auto found = parse_designations(response("8180", "0002 0000 0000", broken + hinted),
                                              designation_question());
        REQUIRE(found);
        REQUIRE(found->size() == 2);
        const Designation& bad = found->at(0).malformed ? found->at(0) : found->at(1);
        CHECK(bad.malformed);
        CHECK(bad.rdata == hex("0001 0364"));
    }

    TEST_CASE("no designation is an answer too; a failure and another question are none") {
        const auto none =
            parse_designations(response("8180", "0000 0000 0000", {}), designation_question());
        REQUIRE(none);
        CHECK(none->empty());
        CHECK(parse_designations(response("8183", "0000 0000 0000", {}), designation_question())
                  ->empty());
        CHECK(parse_designations(response("8182", "0000 0000 0000", {}), designation_question())
                  .error()
                  .code == Errc::unavailable);
        const auto other = parse_designations(response("8180", "0001 0000 0000", dot),
                                              designation_question(*parse_name("dns.test")));
        CHECK(other.error().code == Errc::malformed);
    }

    TEST_CASE("a chain of aliases is followed; records of others are not taken") {
        // _dns.resolver.arpa is an alias of dns.test, which has the record.
        const Buffer alias = hex("c00c 0005 0001 0000012c 000a 03646e73 0474657374 00");
        Buffer behind = dot;
        behind.erase(behind.begin(), behind.begin() + 2);
        const Buffer owned = hex("03646e73 0474657374 00") + behind;
        const auto found = parse_designations(response("8180", "0002 0000 0000", alias + owned),
                                              designation_question());
        REQUIRE(found);
        CHECK(found->size() == 1);
        const auto strangers =
            parse_designations(response("8180", "0001 0000 0000", owned), designation_question());
        CHECK((!strangers || strangers->empty()));
    }

    TEST_CASE("by name it is _dns before the name") {
        CHECK(to_text(designation_question(*parse_name("dns.test")).name) == "_dns.dns.test.");
        CHECK(to_text(designation_question().name) == "_dns.resolver.arpa.");
        CHECK(designation_question().type == type::svcb);
    }
}

}  // namespace
}  // namespace porchlight::dns
