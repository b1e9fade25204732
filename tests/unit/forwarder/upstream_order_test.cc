#include "forwarder/upstream_order.h"

#include <doctest/doctest.h>

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;
using Order = std::vector<std::size_t>;

TEST_SUITE("forwarder/upstream_order") {
    const Clock::time_point start{1000s};

    TEST_CASE("fit servers stand as they were configured") {
        CHECK(UpstreamOrder(3).order() == Order{0, 1, 2});
        CHECK(UpstreamOrder(0).order().empty());
    }

    TEST_CASE("a failed server stands last, and returns after a minute of health") {
        UpstreamOrder order(3);
        order.note_failure(0);
        CHECK(order.order() == Order{1, 2, 0});
        order.note_answer(0, start);
        CHECK(order.order() == Order{1, 2, 0});
        order.note_answer(0, start + 59s);
        CHECK(order.order() == Order{1, 2, 0});
        order.note_answer(0, start + 60s);
        CHECK(order.order() == Order{0, 1, 2});
    }

    TEST_CASE("one that fails while it recovers begins again") {
        UpstreamOrder order(2);
        order.note_failure(0);
        order.note_answer(0, start);
        CHECK(!order.note_timeout(0, start + 1s));
        order.note_answer(0, start + 60s);
        CHECK(order.order() == Order{1, 0});
        order.note_answer(0, start + 120s);
        CHECK(order.order() == Order{0, 1});
    }

    TEST_CASE("one that recovers is better than one that failed") {
        UpstreamOrder order(2);
        order.note_failure(0);
        order.note_failure(1);
        CHECK(order.order() == Order{0, 1});
        order.note_answer(1, start);
        CHECK(order.order() == Order{1, 0});
    }

    TEST_CASE("slow names are no failure; a server that says nothing at all is doubted once") {
        UpstreamOrder order(2);
        order.note_answer(0, start + 2s);
        for (int i = 0; i < 5; ++i) CHECK(!order.note_timeout(0, start + 1s));
        CHECK(order.note_timeout(0, start + 3s));
        CHECK(!order.note_timeout(0, start + 3s));
        CHECK(order.order() == Order{0, 1});
        order.note_answer(0, start + 4s);
        CHECK(order.note_timeout(0, start + 5s));
        order.note_failure(0);
        CHECK(order.order() == Order{1, 0});
    }

    TEST_CASE("only better liked servers that are not fit are probed, and not often") {
        UpstreamOrder order(3);
        CHECK(!order.to_probe(2, start));
        order.note_failure(1);
        CHECK(!order.to_probe(0, start));
        CHECK(order.to_probe(2, start) == 1);
        CHECK(!order.to_probe(2, start + 9s));
        order.note_answer(1, start + 9s);
        CHECK(order.to_probe(2, start + 10s) == 1);
        order.note_answer(1, start + 69s);
        CHECK(!order.to_probe(2, start + 80s));
    }
}

}  // namespace
}  // namespace porchlight::forwarder
