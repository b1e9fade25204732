#include "forwarder/http2_budget.h"

#include <doctest/doctest.h>

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;
using Event = Http2Budget::Event;

const Clock::time_point start{1h};

/// How many of an event in a row are within bounds.
std::uint32_t admitted(Http2Budget& budget, Event event, Clock::time_point now = start) {
    for (std::uint32_t count = 0; count < 100000; ++count)
        if (!budget.admit(event, now)) return count;
    return 100000;
}

void request(Http2Budget& budget, std::uint32_t count, Clock::time_point now = start) {
    for (std::uint32_t i = 0; i < count; ++i) budget.admit(Event::request, now);
}

}  // namespace

TEST_SUITE("forwarder/http2_budget") {
    TEST_CASE("who resets more than half of his requests is told to calm down") {
        Http2Budget budget;
        request(budget, 60);
        CHECK(admitted(budget, Event::reset) == 30);
        Http2Budget few;
        CHECK(admitted(few, Event::reset) == Http2Budget::resets_unjudged);
    }

    TEST_CASE("no number of requests pays for more than 200 resets in a span") {
        Http2Budget budget;
        request(budget, 1000);
        CHECK(admitted(budget, Event::reset) == Http2Budget::resets_max);
        CHECK(!budget.admit(Event::reset, start + Http2Budget::span - 1ms));
        CHECK(budget.admit(Event::reset, start + Http2Budget::span));
    }

    TEST_CASE("requests of the span before may be reset in this one, those before not") {
        Http2Budget budget;
        request(budget, 100);
        const auto next = start + Http2Budget::span;
        CHECK(admitted(budget, Event::reset, next) == 50);
        CHECK(admitted(budget, Event::reset, next + Http2Budget::span) ==
              Http2Budget::resets_unjudged);
    }

    TEST_CASE("each kind of frame that asks nothing has its bound, and it is of a span") {
        const std::pair<Event, std::uint32_t> bounds[] = {
            {Event::settings, Http2Budget::settings_max},
            {Event::ping, Http2Budget::pings_max},
            {Event::refused, Http2Budget::refused_max},
            {Event::other, Http2Budget::others_max}};
        for (const auto& [event, bound] : bounds) {
            Http2Budget budget;
            CHECK(admitted(budget, event) == bound);
            CHECK(admitted(budget, event, start + Http2Budget::span) == bound);
        }
    }

    TEST_CASE("a request pays for the frames around it, headers among them") {
        Http2Budget budget;
        request(budget, 10);
        const std::uint32_t bound = Http2Budget::others_max + 10 * Http2Budget::others_per_request;
        CHECK(admitted(budget, Event::header) == bound);
        CHECK(!budget.admit(Event::other, start));
    }

    TEST_CASE("continuations are counted for each header, whatever the time") {
        Http2Budget budget;
        CHECK(admitted(budget, Event::continuation) == Http2Budget::continuations_max);
        CHECK(!budget.admit(Event::continuation, start + Http2Budget::span));
        CHECK(budget.admit(Event::header, start + Http2Budget::span));
        CHECK(admitted(budget, Event::continuation, start + Http2Budget::span) ==
              Http2Budget::continuations_max);
    }
}

}  // namespace porchlight::forwarder
