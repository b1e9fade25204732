#include "agent/spawn.h"

#include <doctest/doctest.h>

#include "agent/backoff.h"

namespace porchlight::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_SUITE("agent/spawn") {
    TEST_CASE("a program gets its arguments and its input, without a shell") {
        CHECK(run_program({"grep", "-q", "a b;c"}, bytes_of("x a b;c y\n"), seconds(10)));
        CHECK(!run_program({"grep", "-q", "missing"}, bytes_of("x\n"), seconds(10)));
    }

    TEST_CASE("its first complaint is ours") {
        auto done = run_program({"ls", "/no/such/place"}, {}, seconds(10));
        REQUIRE(!done);
        CHECK(done.error().code == Errc::refused);
        CHECK(done.error().message.find("/no/such/place") != std::string::npos);
    }

    TEST_CASE("one that is not there is unavailable, one that hangs is killed") {
        auto missing = run_program({"porchlight-no-such-program"}, {}, seconds(10));
        REQUIRE(!missing);
        CHECK(missing.error().code == Errc::unavailable);
        auto hung = run_program({"sleep", "60"}, {}, milliseconds(100));
        REQUIRE(!hung);
        CHECK(hung.error().code == Errc::timeout);
    }

    TEST_CASE("more input than a pipe holds goes through") {
        CHECK(run_program({"sh", "-c", "test $(wc -c) -eq 300000"}, Buffer(300000, 'x'),
                          seconds(10)));
    }
}

TEST_SUITE("agent/backoff") {
    TEST_CASE("the first restart is quick, the following ones slow down to ten seconds") {
        Backoff backoff;
        Clock::time_point now{};
        milliseconds last{0};
        for (const milliseconds expected :
             {milliseconds(200), milliseconds(400), milliseconds(800)}) {
            backoff.started(now);
            CHECK(backoff.died(now) == now + expected);
        }
        for (int i = 0; i < 20; ++i) {
            backoff.started(now);
            last = std::chrono::duration_cast<milliseconds>(backoff.died(now) - now);
        }
        CHECK(last == Backoff::longest);
        backoff.started(now);
        now += Backoff::lived_well;
        CHECK(backoff.died(now) == now + Backoff::first);
    }
}

}  // namespace
}  // namespace porchlight::agent
