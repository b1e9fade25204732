#include "forwarder/memory.h"

#include <doctest/doctest.h>

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
        CHECK(shares_of(28 * mib) == MemoryShares{10 * mib, 2 * mib, 8 * mib});
        const MemoryShares all = shares_of(UINT64_MAX);
        CHECK(all.connections > all.cache);
        CHECK(all.connections + all.questions + all.cache < UINT64_MAX);
    }

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
