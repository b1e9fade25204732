#include "ra/announced.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Announced sample{"br-lan",
                       *parse_ipv6("fe80::1"),
                       {0, 0xc8, 1800s, 0ms, 0ms},
                       Clock::time_point(5000s),
                       {hex("9001000100000708"), hex("90020002000000000000000000000000")},
                       true};

TEST_SUITE("ra/announced") {
    TEST_CASE("what was announced survives a round trip, and no truncation") {
        Writer out;
        write(out, sample);
        const Buffer octets = *out.take();
        auto again = parse_announced(octets);
        REQUIRE(again);
        CHECK(*again == sample);
        for (std::size_t size = 0; size < octets.size(); ++size) {
            CAPTURE(size);
            CHECK(!parse_announced(Bytes(octets).first(size)));
        }
    }

    TEST_CASE("another version and options too short to have a Lifetime are refused") {
        Announced odd = sample;
        odd.options.push_back(hex("9001"));
        Writer out;
        write(out, odd);
        Buffer octets = *out.take();
        CHECK(!parse_announced(octets));
        octets[0] = 9;
        CHECK(!parse_announced(octets));
    }

    TEST_CASE("the remaining lifetime never outlives what hosts were promised") {
        CHECK(remaining_lifetime(sample, Clock::time_point(4000s)) == 1000s);
        CHECK(remaining_lifetime(sample, Clock::time_point(4999500ms)) == 1s);
        CHECK(remaining_lifetime(sample, Clock::time_point(5000s)) == 0s);
        CHECK(remaining_lifetime(sample, Clock::time_point(9000s)) == 0s);
        // Steady time before the promise was made: another boot.
        CHECK(remaining_lifetime(sample, Clock::time_point(3000s)) == 0s);
    }
}

}  // namespace
}  // namespace porchlight::ra
