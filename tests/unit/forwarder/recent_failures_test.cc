#include "forwarder/recent_failures.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;
using Blame = RecentFailures::Blame;

TEST_SUITE("forwarder/recent_failures") {
    const Clock::time_point start{1000s};
    const dns::Question question{*dns::parse_name("broken.example"), 1};
    const Serving::Host nobody;
    const Serving::Host somebody = host_of(*parse_address("192.168.1.7"));
    const Serving::Host third = host_of(*parse_address("fd00::7"));

    /// For how long a failure noted at `now` counts.
    std::chrono::seconds lasts(RecentFailures & failures, Blame blame, Clock::time_point now,
                               bool stale = false) {
        failures.note(question, {}, blame, 22, stale, now, now);
        std::chrono::seconds age{0};
        while (failures.find(question, now + age)) ++age;
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
        failures.forget(question, start + 11s);
        CHECK(!failures.find(question, start + 11s));
        CHECK(lasts(failures, Blame::name, start + 12s) == 5s);
    }

    TEST_CASE("a dead line is tried again soon, for it may be back any moment") {
        RecentFailures failures;
        failures.note_upstream(true, start, start);
        failures.note_upstream(false, start, start + 10s);
        Clock::time_point now = start + 10s;
        for (int i = 0; i < 100; ++i) {
            CHECK(lasts(failures, i % 2 == 0 ? Blame::line : Blame::silence, now) == 1s);
            now += 1s;
        }
        CHECK(lasts(failures, Blame::line, now, true) == 1s);
        CHECK(lasts(failures, Blame::silence, now, true) == 30s);  // a stale answer serves
        failures.clear();
        CHECK(!failures.find(question, now));
    }

    TEST_CASE("a name that nobody answers is left alone for longer, where others are answered") {
        RecentFailures failures;
        Clock::time_point now = start;
        for (const auto expected : {5s, 10s, 20s, 40s, 60s, 60s, 60s}) {
            const Clock::time_point asked = now;
            failures.note_upstream(true, asked, asked + 9s);
            now += 10s;  // as long as a look-up takes
            failures.note_upstream(false, asked, now);
            failures.note(question, nobody, Blame::silence, 22, false, asked, now);
            CHECK(failures.find(question, now + expected - 1s));
            CHECK(!failures.find(question, now + expected));
            now += expected;
        }
        // Once nothing is answered any more it is no longer the name that is to blame.
        failures.note_upstream(false, now, now + 10s);
        CHECK(lasts(failures, Blame::silence, now + 10s) == 1s);
    }

    TEST_CASE(
        "a home that was cut off for minutes asks anew within a second of the line's return") {
        RecentFailures failures;
        failures.note_upstream(true, start, start);
        Clock::time_point now = start + 1s;
        dns::Question slow = question;
        slow.type = 28;
        // Before, one name had failed for long.
        for (int i = 0; i < 6; ++i) {
            failures.note(slow, nobody, Blame::name, 22, false, now, now);
            now = failures.find(slow, now)->until;
        }
        failures.note(slow, nobody, Blame::name, 22, false, now, now);
        const Clock::time_point back = now + 250s;
        while (now < back) {
            const Clock::time_point asked = now;
            now += 10s;
            failures.note_upstream(false, asked, now);
            failures.note(question, nobody, Blame::silence, 22, false, asked, now);
            CHECK(failures.find(question, now)->until == now + 1s);
            now += 1s;
        }
        CHECK(failures.find(slow, now));
        failures.note_upstream(true, now, now);
        CHECK(!failures.find(slow, now));
    }

    TEST_CASE("what was asked before the line's return and dies after it is kept for a second") {
        RecentFailures failures;
        failures.note_upstream(true, start, start);
        failures.note_upstream(false, start + 1s, start + 11s);
        failures.note_upstream(true, start + 14s, start + 15s);  // the line is back
        for (const bool stale : {false, true}) {
            for (const Blame blame : {Blame::silence, Blame::name, Blame::line}) {
                const Clock::time_point now = start + 20s;
                failures.note_upstream(false, start + 10s, now);
                failures.note(question, nobody, blame, 22, stale, start + 10s, now);
                CHECK(failures.find(question, now));
                CHECK(!failures.find(question, now + 1s));
                failures.forget(question, now);
            }
        }
        // The control: what was asked after it.
        failures.note(question, nobody, Blame::silence, 22, false, start + 15s, start + 25s);
        CHECK(failures.find(question, start + 29s));
    }

    TEST_CASE("that a name which was silent long ago answers is no sign for those silent now") {
        RecentFailures failures;
        dns::Question silent = question;
        silent.type = 2;
        failures.note(question, nobody, Blame::silence, 22, false, start, start);
        const Clock::time_point later = start + 10h;
        failures.note(silent, somebody, Blame::silence, 22, false, later, later);
        failures.forget(question, later + 1s);
        CHECK(failures.find(silent, later + 4s));
    }

    TEST_CASE("when a name that was silent answers, all that were silent may be tried again") {
        RecentFailures failures;
        dns::Question silent = question, failed = question, unknown = question;
        silent.type = 2;
        failed.type = 3;
        unknown.type = 4;
        const auto note_all = [&] {
            failures.note(question, nobody, Blame::silence, 22, false, start, start);
            failures.note(silent, somebody, Blame::silence, 22, false, start, start);
            failures.note(failed, nobody, Blame::name, 22, false, start, start);
        };
        note_all();
        failures.forget(unknown, start + 1s);
        failures.forget(failed, start + 1s);
        CHECK(failures.find(question, start));
        CHECK(failures.find(silent, start));
        CHECK(!failures.find(failed, start));
        note_all();
        failures.note(silent, somebody, Blame::silence, 22, false, start + 500ms, start + 500ms);
        failures.forget(question, start + 1s);
        CHECK(!failures.find(question, start + 1s));
        CHECK(failures.find(silent, start + 1s));  // for the second that each has
        CHECK(!failures.find(silent, start + 1500ms));
        CHECK(failures.find(failed, start + 1s));  // a server said so, and is not asked through it
    }

    TEST_CASE("the reason is kept") {
        RecentFailures failures;
        failures.note(question, nobody, Blame::name, 7, false, start, start);
        REQUIRE(failures.find(question, start));
        CHECK(failures.find(question, start)->extended_error == 7);
    }

    TEST_CASE("how long is configured, and a stale answer makes it half a minute at least") {
        RecentFailures failures;
        failures.set_limits({.first = 2s, .most = 4s});
        Clock::time_point now = start;
        for (const auto expected : {2s, 4s, 4s}) {
            CHECK(lasts(failures, Blame::name, now) == expected);
            now += expected;
        }
        CHECK(lasts(failures, Blame::name, now, true) == 30s);
        failures.set_limits({.first = 60s, .most = 1s});
        failures.clear();
        CHECK(lasts(failures, Blame::name, now) == 60s);
        CHECK(lasts(failures, Blame::name, now, true) == 60s);
    }

    TEST_CASE("once an upstream that was silent answers, all may be tried again") {
        RecentFailures failures;
        failures.note_upstream(true, start, start + 1s);
        failures.note(question, nobody, Blame::name, 7, false, start + 1s, start + 1s);
        failures.note_upstream(true, start + 1s, start + 2s);
        CHECK(failures.find(question, start + 2s));
        failures.note_upstream(false, start + 2s, start + 3s);
        CHECK(failures.find(question, start + 3s));
        failures.note_upstream(true, start + 3s, start + 4s);
        CHECK(!failures.find(question, start + 4s));
        // It is no longer silent.
        failures.note(question, nobody, Blame::name, 7, false, start + 4s, start + 4s);
        failures.note_upstream(true, start + 4s, start + 5s);
        CHECK(failures.find(question, start + 5s));
    }

    TEST_CASE("a name that nobody answers is remembered where others are answered") {
        RecentFailures failures;
        failures.note_upstream(true, start + 1s, start + 2s);
        failures.note_upstream(false, start, start + 10s);
        failures.note(question, nobody, Blame::silence, 22, true, start + 10s, start + 10s);
        failures.note_upstream(true, start + 10s, start + 11s);
        CHECK(failures.find(question, start + 11s));
    }

    TEST_CASE("what one view could not hear another one asks for itself") {
        RecentFailures failures;
        dns::Question other = question;
        other.view = 1;
        failures.note(question, nobody, Blame::name, 7, true, start, start);
        CHECK(failures.find(question, start));
        CHECK(!failures.find(other, start));
    }

    TEST_CASE("workers share it") {
        RecentFailures failures;
        failures.set_limits({.questions_max = 64, .questions_per_host_max = 32});
        std::vector<std::jthread> workers;
        for (std::uint8_t worker = 0; worker < 4; ++worker)
            workers.emplace_back([&failures, worker] {
                const Serving::Host host = host_of(Ipv4{{192, 168, 1, worker}});
                for (int i = 0; i < 2000; ++i) {
                    const dns::Question asked{*dns::parse_name(std::to_string(i % 100)), 1};
                    failures.note(asked, host, Blame::name, {}, false, start, start);
                    (void)failures.find(asked, start);
                    if (i % 7 == 0) failures.forget(asked, start);
                    if (i % 501 == 0) failures.clear();
                }
            });
        workers.clear();
        failures.note(question, nobody, Blame::name, 7, false, start, start);
        CHECK(failures.find(question, start));
    }

    TEST_CASE("how soon is asked again what a stale answer stood in for is configured") {
        RecentFailures failures;
        failures.set_limits({.covered = 7s});
        failures.note_upstream(false, start, start);
        CHECK(lasts(failures, Blame::silence, start, true) == 7s);
        CHECK(lasts(failures, Blame::silence, start + 20s) == 1s);
    }

    dns::Question numbered(std::size_t i) {
        return {*dns::parse_name(std::to_string(i) + ".example"), 1};
    }

    TEST_CASE("the table is bounded, and full of what is over makes room") {
        RecentFailures failures;
        failures.set_limits({.questions_max = 4, .questions_per_host_max = 4});
        for (std::size_t i = 0; i < 4; ++i)
            failures.note(numbered(i), nobody, Blame::name, {}, false, start + i * 1s,
                          start + i * 1s);
        failures.note(question, somebody, Blame::name, {}, false, start + 5s, start + 5s);
        CHECK(failures.find(question, start + 5s));
        for (std::size_t i = 1; i < 4; ++i)
            CHECK(failures.find(numbered(i), start + 5s));  // 0 was over
    }

    TEST_CASE("who fills the table pushes out what is its own") {
        RecentFailures failures;
        failures.set_limits({.questions_max = 6, .questions_per_host_max = 3});
        failures.note(question, somebody, Blame::name, {}, false, start, start);
        for (std::size_t i = 0; i < 100; ++i)
            failures.note(numbered(i), nobody, Blame::name, {}, false, start + i * 1ms,
                          start + i * 1ms);
        CHECK(failures.find(question, start + 1s));
        for (const std::size_t kept : {97, 98, 99})
            CHECK(failures.find(numbered(kept), start + 1s));
        CHECK(!failures.find(numbered(96), start + 1s));
        // Noted again, the same question takes no room.
        failures.note(numbered(99), nobody, Blame::name, {}, false, start + 1s, start + 1s);
        CHECK(failures.find(numbered(97), start + 1s));
    }

    TEST_CASE("in a table full of many hosts' the one with most makes room") {
        RecentFailures failures;
        failures.set_limits({.questions_max = 4, .questions_per_host_max = 3});
        for (std::size_t i = 0; i < 3; ++i)
            failures.note(numbered(i), nobody, Blame::name, {}, false, start + i * 1ms,
                          start + i * 1ms);
        failures.note(numbered(10), third, Blame::name, {}, false, start, start);
        failures.note(question, somebody, Blame::name, {}, false, start + 1s, start + 1s);
        CHECK(failures.find(question, start + 1s));
        CHECK(failures.find(numbered(10), start + 1s));
        CHECK(!failures.find(numbered(0), start + 1s));
        CHECK(failures.find(numbered(1), start + 1s));
        // What was forgotten counts for nobody.
        failures.forget(numbered(1), start + 1s);
        failures.forget(numbered(2), start + 1s);
        failures.note(numbered(3), nobody, Blame::name, {}, false, start + 1s, start + 1s);
        failures.note(numbered(4), nobody, Blame::name, {}, false, start + 1s, start + 1s);
        CHECK(failures.find(numbered(10), start + 1s));
        CHECK(failures.find(question, start + 1s));
    }
}

}  // namespace
}  // namespace porchlight::forwarder
