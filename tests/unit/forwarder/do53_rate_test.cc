#include "forwarder/do53_rate.h"

#include <doctest/doctest.h>

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;
using Judged = Do53Rate::Judgement;

const Clock::time_point start = Clock::time_point() + 1000h;

struct Fixture {
    Fixture() {
        limits.do53_queries_per_second = 10;
        limits.do53_queries_burst = 20;
    }
    /// How many of so many at once are judged so.
    int judged(Judged wanted, int count, Clock::time_point now) {
        int found = 0;
        for (int i = 0; i < count; ++i) found += rate.judge(limits, now) == wanted ? 1 : 0;
        return found;
    }
    int admitted(int count, Clock::time_point now) {
        int found = 0;
        for (int i = 0; i < count; ++i) found += rate.admit(limits, now) ? 1 : 0;
        return found;
    }

    Limits limits;
    Refusals refusals;
    Do53Rate rate{refusals};
};

}  // namespace

TEST_SUITE("forwarder/do53_rate") {
    TEST_CASE("a burst is answered, as many again are told to come by TCP, the rest is dropped") {
        Fixture f;
        CHECK(f.judged(Judged::answer, 20, start) == 20);
        CHECK(f.refusals.queries_do53 == 0);
        CHECK(f.judged(Judged::truncate, 20, start) == 20);
        CHECK(f.judged(Judged::drop, 5, start) == 5);
        CHECK(f.refusals.queries_do53 == 25);
    }

    TEST_CASE("who keeps to the rate is always answered") {
        Fixture f;
        for (int i = 0; i < 1000; ++i)
            CHECK(f.rate.judge(f.limits, start + i * 100ms) == Judged::answer);
        CHECK(f.refusals.queries_do53 == 0);
    }

    TEST_CASE("what was over it comes back at the rate") {
        Fixture f;
        f.judged(Judged::answer, 100, start);
        CHECK(f.judged(Judged::answer, 15, start + 1s) == 10);
    }

    TEST_CASE("who floods by UDP takes nothing of what may be asked over TCP, nor he who by TCP") {
        Fixture f;
        f.judged(Judged::answer, 1000, start);
        CHECK(f.admitted(25, start) == 20);
        Fixture g;
        CHECK(g.admitted(1000, start) == 20);
        CHECK(g.refusals.queries_do53 == 980);
        CHECK(g.judged(Judged::answer, 25, start) == 20);
    }

    TEST_CASE("by itself it is what a prefix may ask") {
        const Limits limits;
        CHECK(limits.do53_queries_per_second == limits.queries_per_prefix_second);
        CHECK(limits.do53_queries_burst == limits.queries_per_client_burst *
                                               limits.queries_per_prefix_second /
                                               limits.queries_per_client_second);
    }
}

}  // namespace porchlight::forwarder
