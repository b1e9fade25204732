#include "forwarder/recent_failures.h"

#include <doctest/doctest.h>

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;
using Blame = RecentFailures::Blame;

TEST_SUITE("forwarder/recent_failures") {
    const Clock::time_point start{1000s};
    const dns::Question question{*dns::parse_name("broken.example"), 1};

    /// For how long a failure noted at `now` counts.
    std::chrono::seconds lasts(RecentFailures & failures, Blame blame, Clock::time_point now,
                               bool stale = false) {
        failures.note(question, blame, 22, stale, now);
        std::chrono::seconds age{0};
        while (failures.find(question, now + age) != nullptr) ++age;
        return age;
    }

    TEST_CASE("a name that goes on failing is left alone for twice as long each time") {
        RecentFailures failures;
        Clock::time_point now = start;
        for (const auto expected : {5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s}) {
            CHECK(lasts(failures, Blame::name, now) == expected);
            now += expected;
        }
    }

    TEST_CASE("what failed long ago, or worked since, counts from the beginning") {
        RecentFailures failures;
        CHECK(lasts(failures, Blame::name, start) == 5s);
        CHECK(lasts(failures, Blame::name, start + 11s) == 5s);
        failures.forget(question);
        CHECK(failures.find(question, start + 11s) == nullptr);
        CHECK(lasts(failures, Blame::name, start + 12s) == 5s);
    }

    TEST_CASE("a dead line is tried again soon, for it may be back any moment") {
        RecentFailures failures;
        for (int i = 0; i < 5; ++i) {
            CHECK(lasts(failures, Blame::line, start + i * 1s) == 1s);
        }
        CHECK(lasts(failures, Blame::silence, start + 10s) == 5s);
        CHECK(lasts(failures, Blame::silence, start + 20s, true) == 30s);  // a stale answer serves
        failures.clear();
        CHECK(failures.find(question, start + 20s) == nullptr);
    }

    TEST_CASE("the reason is kept") {
        RecentFailures failures;
        failures.note(question, Blame::name, 7, false, start);
        REQUIRE(failures.find(question, start));
        CHECK(failures.find(question, start)->extended_error == 7);
    }

    TEST_CASE("the table is bounded, and full of what is over makes room") {
        RecentFailures failures;
        const auto numbered = [](std::size_t i) {
            return dns::Question{*dns::parse_name(std::to_string(i) + ".example"), 1};
        };
        for (std::size_t i = 0; i < RecentFailures::questions_max; ++i)
            failures.note(numbered(i), Blame::name, {}, false, start);
        failures.note(question, Blame::name, {}, false, start + 1s);
        CHECK(failures.find(question, start + 1s) == nullptr);
        failures.note(question, Blame::name, {}, false, start + 6s);
        CHECK(failures.find(question, start + 6s) != nullptr);
    }
}

}  // namespace
}  // namespace porchlight::forwarder
