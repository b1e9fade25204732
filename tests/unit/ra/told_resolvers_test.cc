#include "ra/told_resolvers.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::ra {
namespace {

const Buffer two_rdnss =
    hex("1905 0000 00000e10 fd770000000000000000000000000001"
        "20010db8000000000000000000000bad");
const Buffer dnr =
    hex("9005 0001 00000708 0005 03646e7300 0010 fd770000000000000000000000000001"
        "0000 00000000 00");
const Buffer adn_only = hex("9002 0002 00000708 0005 03646f7400 00");

TEST_SUITE("ra/told_resolvers") {
    TEST_CASE("resolvers are named as people know them") {
        CHECK(resolvers_in(two_rdnss) == std::vector<std::string>{"fd77::1", "2001:db8::bad"});
        CHECK(resolvers_in(dnr) == std::vector<std::string>{"dns at fd77::1"});
        CHECK(resolvers_in(adn_only) == std::vector<std::string>{"dot"});
        CHECK(resolvers_in(hex("0501 0000 000005dc")).empty());
        CHECK(resolvers_in(hex("9001 0001 00000708")).empty());
        CHECK(resolvers_in(hex("1901 0000 00000708")).empty());
    }

    TEST_CASE("the addresses of plain resolvers, none where there is none") {
        CHECK(rdnss_addresses(two_rdnss) ==
              std::vector<Ipv6>{*parse_ipv6("fd77::1"), *parse_ipv6("2001:db8::bad")});
        CHECK(rdnss_addresses(hex("1901 0000 00000708")).empty());
    }
}

}  // namespace
}  // namespace porchlight::ra
