#include "acme/schedule.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace porchlight::acme {
namespace {

const WallTime begin{std::chrono::seconds(1795255200)};

Attempts failed(unsigned times, WallTime at = begin) {
    Attempts attempts;
    attempts.failures = times;
    attempts.last = at;
    return attempts;
}

TEST_SUITE("acme/schedule") {
    TEST_CASE("a certificate is renewed at two thirds of its life, a short one at half") {
        CHECK(renewal_time({begin, begin + 90 * 24h}, 0) == begin + 60 * 24h);
        CHECK(renewal_time({begin, begin + 6 * 24h}, 0) == begin + 3 * 24h);
        CHECK(renewal_time({begin, begin + 1h}, 0) == begin + 30min);
    }

    TEST_CASE("jitter brings the renewal forward by less than a twentieth of the life") {
        const Validity certificate{begin, begin + 90 * 24h};
        CHECK(renewal_time(certificate, 65535) > begin + 60 * 24h - 108h);
        CHECK(renewal_time(certificate, 65535) < begin + 60 * 24h - 107h);
        CHECK(renewal_time(certificate, 32768) == begin + 60 * 24h - 54h);
    }

    TEST_CASE("without a certificate the first attempt is now") {
        CHECK(next_attempt({}, {}, begin) <= begin);
    }

    TEST_CASE("failures are waited out longer and longer, at last a day") {
        const std::chrono::seconds waits[] = {1min, 2min, 5min, 10min, 20min, 30min,
                                              1h,   2h,   3h,   6h,    24h,   24h};
        unsigned failures = 0;
        for (const auto wait : waits) {
            ++failures;
            CAPTURE(failures);
            CHECK(next_attempt({}, failed(failures), begin) == begin + wait);
        }
        CHECK(next_attempt({}, failed(1000), begin) == begin + 24h);
    }

    TEST_CASE("jitter lengthens a wait by less than a tenth") {
        Attempts attempts = failed(5);
        attempts.jitter = 65535;
        CHECK(next_attempt({}, attempts, begin) < begin + 22min);
        CHECK(next_attempt({}, attempts, begin) > begin + 21min);
    }

    TEST_CASE("the CA's own wish counts where it is longer, up to a day") {
        Attempts attempts = failed(1);
        attempts.retry_after = 3h;
        CHECK(next_attempt({}, attempts, begin) == begin + 3h);
        attempts.retry_after = 1000h;
        CHECK(next_attempt({}, attempts, begin) == begin + 24h);
    }

    TEST_CASE("near the end no wait is long") {
        const Validity certificate{begin - 89 * 24h, begin + 1 * 24h};
        CHECK(next_attempt(certificate, failed(11), begin) == begin + 1h);
        const Validity fleeting{begin - 59min, begin + 1min};
        CHECK(next_attempt(fleeting, failed(11), begin) == begin + 72s);
    }

    TEST_CASE("a failure long before the renewal is due doesn't bring it forward") {
        const Validity certificate{begin, begin + 90 * 24h};
        CHECK(next_attempt(certificate, failed(1), begin) == begin + 60 * 24h);
    }

    TEST_CASE("a clock that was set back does not stretch the wait") {
        CHECK(next_attempt({}, failed(1, begin + 1000h), begin) == begin + 1min);
    }

    TEST_CASE("attempts survive the file") {
        SeededRandom random(1);
        Attempts attempts =
            after_failure({}, begin, 90s, "acme.rateLimited", "too \"many\"\n", random);
        CHECK(attempts.failures == 1);
        const auto again = parse_attempts(write_attempts(attempts));
        REQUIRE(again);
        CHECK(*again == attempts);
        attempts = after_failure(attempts, begin + 1h, 0s, "a", "b", random);
        CHECK(attempts.failures == 2);
        CHECK(after_success(random).failures == 0);
    }

    TEST_CASE("a damaged file is refused, unlikely numbers are tamed") {
        CHECK(!parse_attempts(""));
        CHECK(!parse_attempts("[]"));
        CHECK(!parse_attempts("{}"));
        const auto tamed = parse_attempts(
            R"({"last":"2026-11-21T00:00:00Z","failures":1e300,"jitter":-1,"retry_after_s":"x"})");
        REQUIRE(tamed);
        CHECK(tamed->failures == 0);
        CHECK(tamed->retry_after == 0s);
    }
}

}  // namespace
}  // namespace porchlight::acme
