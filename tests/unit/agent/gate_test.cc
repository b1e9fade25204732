#include "agent/gate.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST_SUITE("agent/gate") {
    const Clock::time_point start{};

    TEST_CASE("a gate that was never open opens at the first good word") {
        Gate gate(false);
        CHECK(!gate.open(start));
        gate.observe(true, start + seconds(1));
        CHECK(gate.open(start + seconds(1)));
    }

    TEST_CASE("it closes after ten seconds of failure, not before") {
        Gate gate(true);
        gate.observe(true, start);
        gate.observe(false, start + seconds(100));
        CHECK(gate.open(start + seconds(109)));
        CHECK(gate.next_change() == start + seconds(110));
        CHECK(!gate.open(start + seconds(110)));
    }

    TEST_CASE("what is unfit counts as such from the beginning of the look that showed it") {
        Gate gate(true);
        gate.observe(false, start + seconds(100), start + seconds(104));
        CHECK(gate.next_change() == start + seconds(110));
    }

    TEST_CASE("a short failure changes nothing") {
        Gate gate(true);
        gate.observe(false, start);
        gate.observe(true, start + seconds(9));
        gate.observe(false, start + seconds(10));
        CHECK(gate.open(start + seconds(19)));
    }

    TEST_CASE("it opens again after thirty seconds well") {
        Gate gate(true);
        gate.observe(false, start);
        CHECK(!gate.open(start + seconds(10)));
        gate.observe(true, start + seconds(20));
        CHECK(!gate.open(start + seconds(49)));
        CHECK(gate.open(start + seconds(50)));
    }

    TEST_CASE("a restored announcement that nothing confirms is withdrawn") {
        Gate gate(true);
        CHECK(gate.open(start));
        gate.observe(false, start);
        CHECK(!gate.open(start + seconds(10)));
    }

    TEST_CASE("three flaps in an hour make it wait ten minutes") {
        Gate gate(true);
        Clock::time_point now = start;
        for (int flap = 0; flap < 3; ++flap) {
            gate.observe(false, now += seconds(1));
            CHECK(!gate.open(now += seconds(10)));
            gate.observe(true, now += seconds(1));
            if (flap < 2) CHECK(gate.open(now += seconds(30)));
        }
        CHECK(!gate.open(now + seconds(599)));
        CHECK(gate.open(now + seconds(600)));
    }

    TEST_CASE("old flaps are forgotten after an hour") {
        Gate gate(true);
        Clock::time_point now = start;
        for (int flap = 0; flap < 5; ++flap) {
            gate.observe(false, now += minutes(40));
            CHECK(!gate.open(now += seconds(10)));
            gate.observe(true, now += seconds(1));
            CHECK(gate.open(now += seconds(30)));
        }
    }
}

}  // namespace
}  // namespace porchlight::agent
