#include "forwarder/memory.h"

#include <doctest/doctest.h>
#include <malloc.h>

#include <string>

#include "core/random.h"
#include "forwarder/recent_failures.h"
#include "forwarder/tallies.h"

namespace porchlight::forwarder {
namespace {

constexpr std::uint64_t mib = 1 << 20;

TEST_SUITE("forwarder/memory") {
    TEST_CASE("a machine gives of its memory what it can spare") {
        CHECK(memory_for(128 * mib) == 28 * mib);
        CHECK(memory_for(512 * mib) == 96 * mib);
        CHECK(memory_for(64 * mib) == 14 * mib);
        CHECK(memory_for(320 * mib) == 62 * mib);
        CHECK(memory_for(64 << 10) == 14 << 10);
        CHECK(memory_for(UINT64_MAX) == 96 * mib);
    }

    TEST_CASE("its parts are no more than the whole") {
        CHECK(shares_of(28 * mib) ==
              MemoryShares{10 * mib, 2 * mib, 8 * mib, 5 * mib, 2 * mib, mib});
        const MemoryShares all = shares_of(UINT64_MAX);
        CHECK(all.connections > all.cache);
        CHECK(all.connections + all.questions + all.cache < UINT64_MAX);
    }

    TEST_CASE("all that hosts can make it hold, each at its most, is within the bound") {
        for (const std::uint64_t machine : {64 * mib, 128 * mib, 512 * mib, 8192 * mib}) {
            CAPTURE(machine);
            Settings settings;
            settings.limits.memory_bytes_max = 0;
            settings.query_log.level = QueryLogSettings::Level::full;
            fit(settings, machine);
            const std::uint64_t memory = settings.limits.memory_bytes_max;
            CHECK(memory == memory_for(machine));
            const std::uint64_t most =
                shares_of(memory).connections +
                std::uint64_t(settings.limits.in_flight_max) * memory_cost::question +
                settings.cache_bytes_max + tallies_max(memory) * memory_cost::tally +
                failures_max(memory) * memory_cost::failure + settings.query_log.bytes_max;
            CHECK(most <= memory);
        }
    }

    TEST_CASE("a router of 128 MiB has what larger ones have of tables, a smaller one less") {
        for (const std::uint64_t memory : {28 * mib, 96 * mib}) {
            CHECK(tallies_max(memory) == 16384);
            CHECK(failures_max(memory) == 4096);
        }
        CHECK(tallies_max(14 * mib) == 5 * mib / 2 / memory_cost::tally);
        CHECK(failures_max(14 * mib) == mib / memory_cost::failure);
        CHECK(tallies_max(1) == 1);
        CHECK(failures_max(1) == 1);
        Settings small;
        small.limits.memory_bytes_max = 14 * mib;
        fit(small, 64 * mib);
        CHECK(small.query_log.bytes_max == mib / 2);
        Settings set;
        set.query_log.bytes_max = 64 * mib;
        fit(set, 64 * mib);
        CHECK(set.query_log.bytes_max == 64 * mib);
        Settings usual;
        fit(usual, 512 * mib);
        CHECK(usual.query_log.bytes_max == mib);
    }

#if defined(__GLIBC__)
    TEST_CASE("what is counted of a host, and what failed, costs no more than is said") {
        const auto held = [] { return ::mallinfo2().uordblks + ::mallinfo2().hblkhd; };
        SystemRandom random;
        const std::size_t before = held();
        if (before == 0) return;  // a sanitizer's memory is not counted
        constexpr std::size_t count = 4096;
        const auto address = [](std::size_t i) {
            return Ipv6{{0xfd, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
        };
        {
            Tallies tallies(random);
            for (std::size_t i = 0; i < count; ++i)
                REQUIRE(tallies.find_or_make(key_of({}, address(i)), count) != nullptr);
            CHECK(held() - before <= count * memory_cost::tally);
            CHECK(held() - before > count * memory_cost::tally / 2);
        }
        const std::size_t between = held();
        RecentFailures failures;
        failures.set_limits({.questions_max = count, .questions_per_host_max = count});
        const std::string longest = std::string(62, 'a') + '.' + std::string(62, 'b') + '.' +
                                    std::string(62, 'c') + '.' + std::string(53, 'd');
        const Clock::time_point now = Clock::now();
        for (std::size_t i = 0; i < count; ++i)
            failures.note({*dns::parse_name(std::to_string(10000 + i) + "." + longest), 1},
                          host_of(address(i)), RecentFailures::Blame::name, 22, false, now, now);
        CHECK(held() - between <= count * memory_cost::failure);
        CHECK(held() - between > count * memory_cost::failure / 2);
    }
#endif

    TEST_CASE("limits are none that memory does not allow") {
        Settings settings;
        settings.limits.memory_bytes_max = 0;
        fit(settings, 128 * mib);
        CHECK(settings.limits.memory_bytes_max == 28 * mib);
        CHECK(settings.limits.in_flight_max == 2 * mib / memory_cost::question);
        CHECK(settings.limits.in_flight_per_client_max == settings.limits.in_flight_max / 4);
        CHECK(settings.limits.in_flight_per_prefix_max == settings.limits.in_flight_max / 2);
        CHECK(settings.cache_bytes_max == 8 * mib);
        Settings small;
        small.limits.memory_bytes_max = 7 * mib;
        fit(small, 128 * mib);
        CHECK(small.limits.memory_bytes_max == 7 * mib);
        CHECK(small.cache_bytes_max == 2 * mib);
        Settings tiny;
        tiny.limits.memory_bytes_max = 1;
        fit(tiny, 128 * mib);
        CHECK(tiny.limits.in_flight_max == 1);
        CHECK(tiny.limits.in_flight_per_client_max == 1);
    }

    TEST_CASE("what was set and fits stays") {
        Settings settings;
        settings.limits.in_flight_max = 7;
        settings.limits.in_flight_per_client_max = 1;
        settings.cache_bytes_max = 64 * mib;
        fit(settings, 512 * mib);
        CHECK(settings.limits.in_flight_max == 7);
        CHECK(settings.limits.in_flight_per_client_max == 1);
        CHECK(settings.limits.in_flight_per_prefix_max == 3);
        CHECK(settings.cache_bytes_max == 64 * mib);
        CHECK(settings.limits.memory_bytes_max == 96 * mib);
    }
}

}  // namespace
}  // namespace porchlight::forwarder
