#include "forwarder/deadlines.h"

#include <doctest/doctest.h>

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start = Clock::time_point() + 1000h;

}  // namespace

TEST_SUITE("forwarder/deadlines") {
    TEST_CASE("the oldest of a kind stands first, whoever was active goes to the end") {
        Deadlines deadlines;
        DeadlineHook a, b, c;
        deadlines.set(a, Waiting::idle, start);
        deadlines.set(b, Waiting::idle, start + 1s);
        deadlines.set(c, Waiting::idle, start + 2s);
        CHECK(deadlines.oldest(Waiting::idle) == &a);
        deadlines.set(a, Waiting::idle, start + 3s);
        CHECK(deadlines.oldest(Waiting::idle) == &b);
        deadlines.clear(c);
        deadlines.clear(b);
        CHECK(deadlines.oldest(Waiting::idle) == &a);
        CHECK(a.since == start + 3s);
        deadlines.clear(a);
        CHECK(deadlines.oldest(Waiting::idle) == nullptr);
    }

    TEST_CASE("one waits for one thing at a time, or for nothing") {
        Deadlines deadlines;
        DeadlineHook a, b;
        deadlines.set(a, Waiting::handshake, start);
        deadlines.set(b, Waiting::handshake, start);
        deadlines.set(a, Waiting::frame, start);
        CHECK(deadlines.oldest(Waiting::handshake) == &b);
        CHECK(deadlines.oldest(Waiting::frame) == &a);
        deadlines.set(a, Waiting::nothing, start);
        CHECK(deadlines.oldest(Waiting::frame) == nullptr);
        CHECK(deadlines.oldest(Waiting::nothing) == nullptr);
        deadlines.clear(a);
        deadlines.clear(b);
    }
}

}  // namespace porchlight::forwarder
