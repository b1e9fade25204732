#include "ra/told_resolvers.h"

#include <doctest/doctest.h>

#include "hex.h"
#include "ra/options.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Clock::time_point begin = Clock::time_point(1000s);
const Buffer rdnss = hex("1903 0000 00000708 fd770000000000000000000000000001");
const Buffer two_rdnss =
    hex("1905 0000 00000e10 fd770000000000000000000000000001"
        "20010db8000000000000000000000bad");
const Buffer dnr =
    hex("9005 0001 00000708 0005 03646e7300 0010 fd770000000000000000000000000001"
        "0000 00000000 00");
const Buffer adn_only = hex("9002 0002 00000708 0005 03646f7400 00");
const Ipv6 router = *parse_ipv6("fe80::9");

TEST_SUITE("ra/told_resolvers") {
    TEST_CASE("resolvers are named as people know them") {
        CHECK(resolvers_in(two_rdnss) == std::vector<std::string>{"fd77::1", "2001:db8::bad"});
        CHECK(resolvers_in(dnr) == std::vector<std::string>{"dns at fd77::1"});
        CHECK(resolvers_in(adn_only) == std::vector<std::string>{"dot"});
        CHECK(resolvers_in(hex("0501 0000 000005dc")).empty());
        CHECK(resolvers_in(hex("9001 0001 00000708")).empty());
        CHECK(resolvers_in(hex("1901 0000 00000708")).empty());
    }

    TEST_CASE("a resolver is strange if nobody of this router tells it") {
        CHECK(strange_resolvers({rdnss, dnr}, {rdnss, dnr}).empty());
        CHECK(strange_resolvers({rdnss}, {two_rdnss, adn_only}) ==
              std::vector<StrangeResolver>{{"2001:db8::bad", 3600s}, {"dot", 1800s}});
        CHECK(strange_resolvers({}, {withdrawn(rdnss), withdrawn(dnr)}).empty());
        CHECK(strange_resolvers({}, {}).empty());
    }

    TEST_CASE("who tells of strange resolvers is known for as long as hosts believe it") {
        Strangers strangers;
        strangers.note(router, {"fd66::1", 100s}, begin);
        strangers.note(router, {"fd66::1", 100s}, begin + 50s);
        REQUIRE(strangers.standing(begin + 149s).size() == 1);
        CHECK(strangers.standing(begin + 149s)[0].resolver == "fd66::1");
        CHECK(strangers.standing(begin + 150s).empty());
        strangers.note(router, {"fd66::2", std::chrono::seconds(0xffffffff)}, begin);
        CHECK(strangers.standing(begin + 3601s).empty());
    }

    TEST_CASE("a flood of them costs a bounded memory, the latest are known") {
        Strangers strangers;
        for (int i = 0; i < 1000; ++i) strangers.note(router, {std::to_string(i), 100s}, begin);
        const auto standing = strangers.standing(begin);
        REQUIRE(standing.size() == Strangers::shown_max);
        CHECK(standing.back().resolver == "999");
    }
}

}  // namespace
}  // namespace porchlight::ra
