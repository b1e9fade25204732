#include "dhcp/draft_request.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dhcp {
namespace {

TEST_SUITE("dhcp/draft_request") {
    TEST_CASE("a request survives a round trip") {
        const auto request = parse_draft_request(hex("07"));
        REQUIRE(request);
        CHECK(request->flags == 7);
        Writer out;
        write(out, *request);
        CHECK(*out.take() == hex("07"));
    }

    TEST_CASE("unassigned flags are ignored, and are no request by themselves") {
        CHECK(parse_draft_request(hex("f9"))->flags == 1);
        CHECK(parse_draft_request(hex("f8")).error().message ==
              "the draft's request: names no protocol at octet 1");
    }

    TEST_CASE("one octet, no fewer and no more, is a request") {
        CHECK(is_draft_request(hex("01")));
        for (const auto& octets : {hex(""), hex("0101")}) {
            CHECK(!is_draft_request(octets));
            CHECK(!parse_draft_request(octets));
        }
        CHECK(parse_draft_request(hex("0101")).error().message ==
              "the draft's request: has more than the flags of a request at octet 1");
    }
}

}  // namespace
}  // namespace porchlight::dhcp
