#include "agent/pace.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

const Clock::time_point begin = Clock::time_point(1000s);

/// Changes as fast as it may go, for a time.
int changes_within(std::chrono::seconds span, Pace& pace, Clock::time_point& now) {
    int count = 0;
    for (const auto end = now + span; (now = pace.next(now)) < end; ++count)
        pace.on_look(true, now);
    return count;
}

TEST_SUITE("agent/pace") {
    TEST_CASE("the first change is looked at once, the next a second later") {
        Pace pace;
        CHECK(pace.next(begin) == begin);
        pace.on_look(true, begin);
        CHECK(pace.next(begin + 10ms) == begin + 1s);
        CHECK(pace.next(begin + 5s) == begin + 5s);
    }

    TEST_CASE("who changes all the time makes some changes fast, then one each half a minute") {
        Pace pace;
        Clock::time_point now = begin;
        CHECK(changes_within(20s, pace, now) == Pace::burst);
        CHECK(changes_within(3600s, pace, now) <= 121);
        // After some quiet the first are fast again.
        now += 10min;
        CHECK(changes_within(20s, pace, now) == Pace::burst);
    }

    TEST_CASE("a look that finds nothing changed costs a second only") {
        Pace pace;
        for (int i = 0; i < 100; ++i) {
            const auto now = begin + std::chrono::seconds(i);
            CHECK(pace.next(now) == now);
            pace.on_look(false, now);
        }
    }
}

}  // namespace
}  // namespace porchlight::agent
