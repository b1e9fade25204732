#include "ra/ends.h"

#include <doctest/doctest.h>

#include "hex.h"
#include "ra/options.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Clock::time_point begin = Clock::time_point(1000s);
const Buffer half_an_hour = hex("9002 0001 00000708 0005 03646e7300 00");
const Buffer ten_minutes = hex("9002 0001 00000258 0005 03646e7300 00");
const Buffer other = hex("9002 0002 00000708 0005 03646f7400 00");

TEST_SUITE("ra/ends") {
    TEST_CASE("no unit is told for longer than it lasts, in whole seconds") {
        const Ends ends({half_an_hour, other}, {begin + 600s, Ends::never});
        CHECK(ends.as_of(half_an_hour, begin) == ten_minutes);
        CHECK(lifetime(ends.as_of(half_an_hour, begin + 100ms)) == 599s);
        CHECK(lifetime(ends.as_of(half_an_hour, begin - 1h)) == 1800s);
        CHECK(ends.as_of(half_an_hour, begin + 600s) == withdrawn(half_an_hour));
        CHECK(ends.as_of(half_an_hour, begin + 700s) == withdrawn(half_an_hour));
        CHECK(ends.as_of(other, begin + 700s) == other);
    }

    TEST_CASE("a unit is known whatever its Lifetime is") {
        const Ends ends({half_an_hour}, {begin + 300s});
        CHECK(lifetime(ends.as_of(ten_minutes, begin)) == 300s);
        CHECK(ends.as_of(withdrawn(half_an_hour), begin) == withdrawn(half_an_hour));
    }

    TEST_CASE("what is told for ever ends all the same") {
        Buffer endless = half_an_hour;
        std::fill_n(endless.begin() + 4, 4, std::uint8_t{0xff});
        CHECK(Ends({endless}, {begin + 300s}).as_of(endless, begin) != withdrawn(endless));
        CHECK(lifetime(Ends({endless}, {begin + 300s}).as_of(endless, begin)) == 300s);
    }

    TEST_CASE("every option of a unit is shortened") {
        Buffer both = half_an_hour;
        both.insert(both.end(), other.begin(), other.end());
        const Buffer left = Ends({both}, {begin + 60s}).as_of(both, begin);
        for (const Buffer& option : options_of(left)) CHECK(lifetime(option) == 60s);
    }

    TEST_CASE("the least that is left is that of what has not ended") {
        const Ends ends({half_an_hour, other}, {begin + 600s, begin + 60s});
        CHECK(ends.least_left(begin) == 60s);
        CHECK(ends.least_left(begin + 60s) == 540s);
        CHECK(!ends.least_left(begin + 600s));
        CHECK(!Ends().least_left(begin));
        CHECK(!Ends({half_an_hour}, {Ends::never}).least_left(begin));
        CHECK(!Ends({half_an_hour}, {}).least_left(begin));
    }
}

}  // namespace
}  // namespace porchlight::ra
