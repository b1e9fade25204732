#include "agent/staple_schedule.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace porchlight::agent {
namespace {

const WallTime wall = *parse_wall_time("2026-11-22T12:00:00Z");
const Clock::time_point now = Clock::time_point() + 1000h;

StapleHistory held(WallTime from, WallTime until, WallTime fetched) {
    return {net::StapleSpan{from, until}, fetched, 0, {}};
}

TEST_SUITE("agent/staple_schedule") {
    TEST_CASE("where none is held the responder is asked at once") {
        CHECK(until_fetch({}, wall, now) == 0s);
    }

    TEST_CASE("it is asked again at half of the validity") {
        const auto history = held(wall, wall + 4 * 24h, wall);
        CHECK(until_fetch(history, wall, now) == 48h);
        CHECK(until_fetch(history, wall + 47h, now) == 1h);
        CHECK(until_fetch(history, wall + 48h, now) == 0s);
        CHECK(until_fetch(history, wall + 100h, now) == 0s);
    }

    TEST_CASE("one that is old when it comes is not asked for again at once") {
        const auto history = held(wall - 6 * 24h, wall + 24h, wall);
        CHECK(until_fetch(history, wall, now) == 12h);
    }

    TEST_CASE("a clock that is set back makes no staple younger than it was") {
        const auto history = held(wall, wall + 10h, wall - 1h);
        CHECK(until_fetch(history, wall - 1h, now) == 6h);
    }

    TEST_CASE("after failures it is asked a minute later, and twice that, up to an hour") {
        StapleHistory history;
        history.failed_at = now;
        for (const auto pause : {1min, 2min, 4min, 8min, 16min, 32min, 60min, 60min, 60min}) {
            ++history.failures;
            CHECK(until_fetch(history, wall, now) == pause);
            CHECK(until_fetch(history, wall, now + pause - 1s) == 1s);
            CHECK(until_fetch(history, wall, now + pause) == 0s);
        }
        history.failures = 1000000;
        CHECK(until_fetch(history, wall, now) == 60min);
    }

    TEST_CASE("what was just fetched is not asked for again at once, however soon it is over") {
        CHECK(until_fetch(held(wall - 1h, wall + 10s, wall), wall, now) == 1min);
        CHECK(until_fetch(held(wall - 1h, wall + 10s, wall), wall + 1min, now) == 0s);
    }

    TEST_CASE("a failure does not hurry what is not due") {
        auto history = held(wall, wall + 10h, wall);
        history.failures = 1;
        history.failed_at = now;
        CHECK(until_fetch(history, wall, now) == 5h);
        CHECK(until_fetch(history, wall + 5h, now) == 1min);
    }
}

}  // namespace
}  // namespace porchlight::agent
