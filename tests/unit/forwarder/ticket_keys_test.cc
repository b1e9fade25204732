#include "forwarder/ticket_keys.h"

#include <doctest/doctest.h>

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start = Clock::time_point() + 1000h;

}  // namespace

TEST_SUITE("forwarder/ticket_keys") {
    TEST_CASE("the newest seals for twelve hours, four more still open") {
        SeededRandom random(1);
        TicketKeys keys(random, 12h);
        const auto first = keys.newest(start);
        CHECK(keys.newest(start + 11h).name == first.name);
        CHECK(keys.find(first.name.data(), start + 11h)->is_newest);
        for (int turn = 1; turn <= 4; ++turn) {
            const auto now = start + turn * 12h;
            CHECK(keys.newest(now).name != first.name);
            const auto found = keys.find(first.name.data(), now);
            REQUIRE(found);
            CHECK(!found->is_newest);
            CHECK(found->key.cipher == first.cipher);
        }
        keys.newest(start + 60h);
        CHECK(!keys.find(first.name.data(), start + 60h));
    }

    TEST_CASE("keys do not outlive their time because nobody came") {
        SeededRandom random(1);
        TicketKeys keys(random, 12h);
        const auto first = keys.newest(start);
        CHECK(!keys.find(first.name.data(), start + 1000h));
    }

    TEST_CASE("another rotation counts from the last one, and keeps the keys") {
        SeededRandom random(1);
        TicketKeys keys(random, 12h);
        const auto first = keys.newest(start);
        keys.set_rotation(1h);
        CHECK(keys.newest(start + 59min).name == first.name);
        CHECK(keys.newest(start + 60min).name != first.name);
        CHECK(!keys.find(first.name.data(), start + 60min)->is_newest);
        keys.set_rotation(12h);
        const auto second = keys.newest(start + 90min);
        CHECK(keys.newest(start + 12h).name == second.name);
        CHECK(keys.newest(start + 13h).name != second.name);
    }

    TEST_CASE("a stranger's name finds nothing") {
        SeededRandom random(1);
        TicketKeys keys(random, 12h);
        keys.newest(start);
        const std::array<std::uint8_t, 16> name{};
        CHECK(!keys.find(name.data(), start));
    }
}

}  // namespace porchlight::forwarder
