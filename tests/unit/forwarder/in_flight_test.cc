#include "forwarder/in_flight.h"

#include <doctest/doctest.h>

#include "forwarder/lookup.h"

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

dns::Question question(const char* name, std::uint16_t type = 1) {
    return {*dns::parse_name(name), type};
}

TEST_SUITE("forwarder/in_flight") {
    const Clock::time_point start{1000s};
    const Serving::Host nobody;

    TEST_CASE("questions differ by name, type, DO, CD and view, not by letter case") {
        InFlight in_flight;
        InFlight::Flight* flight = in_flight.start(question("example.org"), nobody, start);
        CHECK(in_flight.find(question("EXAMPLE.org")) == flight);
        CHECK(in_flight.find(question("example.org", 28)) == nullptr);
        CHECK(in_flight.find(question("www.example.org")) == nullptr);
        dns::Question with_do = question("example.org");
        with_do.dnssec_ok = true;
        CHECK(in_flight.find(with_do) == nullptr);
        dns::Question with_cd = question("example.org");
        with_cd.checking_disabled = true;
        CHECK(in_flight.find(with_cd) == nullptr);
        dns::Question of_another_view = question("example.org");
        of_another_view.view = 1;
        CHECK(in_flight.find(of_another_view) == nullptr);
    }

    TEST_CASE("the end hands over everybody who waits, once") {
        InFlight in_flight;
        int heard = 0;
        InFlight::Flight* flight = in_flight.start(question("a.example"), nobody, start);
        for (int i = 0; i < 3; ++i) flight->waiters.push_back([&](const Found&) { ++heard; });
        for (const auto& done : in_flight.end(*flight)) done(Found{});
        CHECK(heard == 3);
        CHECK(in_flight.find(question("a.example")) == nullptr);
        CHECK(in_flight.size() == 0);
    }

    TEST_CASE("questions and waiters are bounded") {
        InFlight in_flight;
        in_flight.set_limits({.questions_max = 2, .waiters_max = 1});
        InFlight::Flight* flight = in_flight.start(question("a.example"), nobody, start);
        CHECK(in_flight.start(question("b.example"), nobody, start) != nullptr);
        CHECK(in_flight.start(question("c.example"), nobody, start) == nullptr);
        CHECK(in_flight.has_room(*flight));
        flight->waiters.push_back([](const Found&) {});
        CHECK(!in_flight.has_room(*flight));
        (void)in_flight.end(*flight);
        CHECK(in_flight.start(question("c.example"), nobody, start) != nullptr);
    }

    TEST_CASE("who asks after other settings came joins nobody who asked before") {
        InFlight in_flight;
        InFlight::Flight* before = in_flight.start(question("a.example"), nobody, start);
        before->waiters.push_back([](const Found&) {});
        in_flight.supersede();
        CHECK(before->superseded);
        CHECK(in_flight.find(question("a.example")) == nullptr);
        InFlight::Flight* after = in_flight.start(question("a.example"), nobody, start + 1s);
        CHECK(!after->superseded);
        CHECK(in_flight.end(*before).size() == 1);
        CHECK(in_flight.find(question("a.example")) == after);
        CHECK(in_flight.next_slow() == start + 2800ms);
        CHECK(in_flight.end(*after).empty());
        CHECK(in_flight.size() == 0);
    }

    TEST_CASE("flights become slow in the order of their start, each once") {
        InFlight in_flight;
        CHECK(!in_flight.next_slow());
        in_flight.start(question("a.example"), nobody, start);
        in_flight.start(question("b.example"), nobody, start + 100ms);
        in_flight.start(question("c.example"), nobody, start + 200ms);
        CHECK(in_flight.next_slow() == start + 1800ms);
        CHECK(in_flight.take_slow(start + 1799ms) == nullptr);
        (void)in_flight.end(*in_flight.find(question("a.example")));  // the one that was next
        CHECK(in_flight.next_slow() == start + 1900ms);
        InFlight::Flight* slow = in_flight.take_slow(start + 1900ms);
        REQUIRE(slow != nullptr);
        CHECK(slow->slow);
        CHECK(slow->question == question("b.example"));
        CHECK(in_flight.take_slow(start + 1900ms) == nullptr);
        CHECK(in_flight.take_slow(start + 2s)->question == question("c.example"));
        CHECK(!in_flight.next_slow());
        in_flight.start(question("d.example"), nobody, start + 3s);
        CHECK(in_flight.next_slow() == start + 4800ms);
        (void)in_flight.end(*in_flight.find(question("b.example")));
        (void)in_flight.end(*in_flight.find(question("d.example")));
        CHECK(!in_flight.next_slow());
        in_flight.clear();
        CHECK(in_flight.size() == 0);
        in_flight.start(question("d.example"), nobody, start + 4s);
        CHECK(in_flight.next_slow() == start + 5800ms);
    }
}

}  // namespace
}  // namespace porchlight::forwarder
