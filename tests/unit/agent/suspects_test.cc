#include "agent/suspects.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

const IpAddress one = *parse_address("192.168.1.7");
const IpAddress other = *parse_address("fd77::7");
const Clock::time_point start = Clock::time_point() + 1000h;

}  // namespace

TEST_SUITE("agent/suspects") {
    TEST_CASE("a host that was served at two deaths within a minute is kept out for ten") {
        Suspects suspects;
        CHECK(suspects.died({one}, start).empty());
        CHECK(suspects.refused(start).empty());
        CHECK(suspects.died({other}, start + 1s).empty());
        const IpAddress third = *parse_address("192.168.1.9");
        CHECK(suspects.died({third, one}, start + 60s) == std::vector{one});
        CHECK(suspects.refused(start + 60s) == std::vector{forwarder::RefusedHost{one, 600s}});
        CHECK(suspects.refused(start + 90s) == std::vector{forwarder::RefusedHost{one, 570s}});
        CHECK(suspects.refused(start + 660s).empty());
    }

    TEST_CASE("two deaths further apart are no pattern") {
        Suspects suspects;
        suspects.died({one}, start);
        CHECK(suspects.died({one}, start + 61s).empty());
        CHECK(!suspects.died({one}, start + 122s - 1s).empty());
    }

    TEST_CASE("once let in again, two more deaths keep it out again") {
        Suspects suspects;
        suspects.died({one}, start);
        suspects.died({one}, start + 1s);
        CHECK(suspects.died({one}, start + 700s).empty());
        CHECK(suspects.refused(start + 700s).empty());
        CHECK(!suspects.died({one}, start + 701s).empty());
    }

    TEST_CASE("this machine, which asks for the whole home, is never kept out") {
        Suspects suspects;
        for (int i = 0; i < 3; ++i)
            CHECK(
                suspects.died({*parse_address("127.0.0.1"), *parse_address("::1")}, start).empty());
    }

    TEST_CASE("suspects are bounded, the oldest are forgotten") {
        Suspects suspects;
        for (std::uint32_t i = 0; i < 2 * Suspects::hosts_max; ++i) {
            const auto octet = [&](int shift) { return static_cast<std::uint8_t>(i >> shift); };
            suspects.died({Ipv4{{10, 0, octet(8), octet(0)}}}, start);
        }
        CHECK(suspects.died({Ipv4{{10, 0, 0, 0}}}, start).empty());
        CHECK(!suspects.died({Ipv4{{10, 0, 1, 255}}}, start).empty());
    }
}

}  // namespace porchlight::agent
