#include "forwarder/handshake_queue.h"

#include <doctest/doctest.h>

#include <vector>

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start = Clock::time_point() + 1000h;
// What tells clients apart is an address that nobody looks behind.
const int clients[3]{};
const void* const alice = &clients[0];
const void* const bob = &clients[1];
const void* const carol = &clients[2];

using Order = std::vector<std::uint32_t>;

/// All who wait, in the order of their turns.
Order served(HandshakeQueue& queue) {
    Order order;
    while (const auto next = queue.next(start)) order.push_back(*next);
    return order;
}

/// How much is computed until `until` if somebody always waits and a step takes so long.
std::chrono::nanoseconds computed_until(HandshakeQueue& queue, Clock::time_point until,
                                        std::chrono::milliseconds step) {
    std::chrono::nanoseconds sum{0};
    for (Clock::time_point now = start; now < until; now += step) {
        queue.wait(alice, 1);
        if (!queue.next(now)) {
            now = std::max(now, queue.credit_at() - step);
            continue;
        }
        queue.spend(step, now + step);
        sum += step;
    }
    return sum;
}

}  // namespace

TEST_SUITE("forwarder/handshake_queue") {
    TEST_CASE("a client's handshakes keep their order") {
        HandshakeQueue queue;
        for (const std::uint32_t connection : {7u, 3u, 5u}) queue.wait(alice, connection);
        CHECK(queue.size() == 3);
        CHECK(served(queue) == Order{7, 3, 5});
        CHECK(queue.empty());
    }

    TEST_CASE("clients take turns, however many one of them has") {
        HandshakeQueue queue;
        for (const std::uint32_t connection : {10u, 11u, 12u, 13u}) queue.wait(alice, connection);
        queue.wait(bob, 20);
        queue.wait(bob, 21);
        queue.wait(carol, 30);
        CHECK(served(queue) == Order{10, 20, 30, 11, 21, 12, 13});
    }

    TEST_CASE("who comes again as soon as he was served does not keep others waiting") {
        HandshakeQueue queue;
        queue.wait(bob, 20);
        queue.wait(bob, 21);
        std::uint32_t connection = 10;
        queue.wait(alice, connection);
        Order order;
        for (int turns = 0; turns < 5; ++turns) {
            order.push_back(*queue.next(start));
            if (order.back() == connection) queue.wait(alice, ++connection);
        }
        CHECK(order == Order{20, 10, 21, 11, 12});
    }

    TEST_CASE("who was served before has nothing to wait for") {
        HandshakeQueue queue;
        for (std::uint32_t connection = 0; connection < 9; ++connection)
            queue.wait(alice, connection);
        CHECK(served(queue).size() == 9);
        queue.wait(alice, 10);
        queue.wait(bob, 20);
        CHECK(served(queue) == Order{10, 20});
    }

    TEST_CASE("who leaves is served no more, and others keep their places") {
        HandshakeQueue queue;
        queue.wait(alice, 10);
        const auto second = queue.wait(alice, 11);
        queue.wait(alice, 12);
        const auto only = queue.wait(bob, 20);
        queue.leave(second);
        queue.leave(only);
        queue.leave(only);
        CHECK(queue.size() == 2);
        queue.wait(carol, 30);
        CHECK(served(queue) == Order{10, 30, 12});
    }

    TEST_CASE("who left all his places is forgotten, and begins like anybody") {
        HandshakeQueue queue;
        std::vector<HandshakeQueue::Turn> turns;
        for (std::uint32_t connection = 10; connection < 15; ++connection)
            turns.push_back(queue.wait(alice, connection));
        for (const auto& turn : turns) queue.leave(turn);
        queue.wait(bob, 20);
        queue.wait(bob, 21);
        queue.wait(alice, 15);
        CHECK(served(queue) == Order{20, 15, 21});
    }

    TEST_CASE("a turn is one as soon as it waits") {
        HandshakeQueue queue;
        CHECK(!HandshakeQueue::Turn());
        CHECK(queue.wait(alice, 1));
    }

    TEST_CASE("who comes to an empty queue need not wait, unless the share is spent") {
        HandshakeQueue queue;
        CHECK(queue.is_free(start));
        const auto turn = queue.wait(alice, 1);
        CHECK(!queue.is_free(start));
        queue.leave(turn);
        CHECK(queue.is_free(start));
        queue.spend(1h, start);
        CHECK(!queue.is_free(start));
        queue.wait(alice, 1);
        CHECK(!queue.next(start));
    }

    TEST_CASE("a quiet time's credit is spent at once, and comes back by the share") {
        HandshakeQueue queue;
        queue.set_share({.percent = 50, .burst = 100ms});
        for (std::uint32_t step = 0; step < 30; ++step) queue.wait(alice, step);
        int steps = 0;
        for (; queue.next(start); ++steps) queue.spend(10ms, start);
        CHECK(steps == 11);  // the last one overdraws
        CHECK(queue.credit_at() == start + 20ms);
        CHECK(!queue.next(start + 19ms));
        REQUIRE(queue.next(start + 20ms));
        queue.spend(10ms, start + 20ms);
        CHECK(queue.credit_at() == start + 40ms);
        // No more comes together than the burst, however long it was quiet.
        for (steps = 0; queue.next(start + 1h); ++steps) queue.spend(10ms, start + 1h);
        CHECK(steps == 11);
    }

    TEST_CASE("in the long run the share is kept, divided by the workers") {
        for (const std::uint32_t percent : {5u, 50u, 90u})
            for (const std::uint32_t workers : {1u, 2u, 4u}) {
                CAPTURE(percent);
                CAPTURE(workers);
                HandshakeQueue queue;
                queue.set_share({.percent = percent, .burst = 100ms, .workers = workers});
                const auto computed = computed_until(queue, start + 100s, 10ms);
                const auto share = 100'000ms * percent / 100 / workers;
                CHECK(computed >= share);
                CHECK(computed <= share + 100ms / workers + 20ms);
            }
    }

    TEST_CASE("a share of all cores is no bound") {
        HandshakeQueue queue;
        queue.set_share({.percent = 400, .burst = 100ms, .workers = 4});
        CHECK(computed_until(queue, start + 10s, 10ms) == 10s);
    }

    TEST_CASE("what was spent stays spent under another share") {
        HandshakeQueue queue;
        queue.set_share({.percent = 50, .burst = 100ms});
        queue.spend(10s, start);
        queue.set_share({.percent = 100, .burst = 100ms});
        queue.wait(alice, 1);
        CHECK(!queue.next(start + 1s));
        CHECK(queue.next(start + 20s));
    }
}

}  // namespace porchlight::forwarder
