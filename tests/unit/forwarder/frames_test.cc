#include "forwarder/frames.h"

#include <doctest/doctest.h>

namespace porchlight::forwarder {
namespace {

Buffer frames(std::initializer_list<std::size_t> lengths) {
    Writer out;
    for (const std::size_t length : lengths) framed(out, [&] { out.zeros(length); });
    return *out.take();
}

}  // namespace

TEST_SUITE("forwarder/frames") {
    TEST_CASE("a message stands behind its length, and nothing leaves no trace") {
        CHECK(frames({3}) == Buffer{0, 3, 0, 0, 0});
        CHECK(frames({0}).empty());
        CHECK(frames({1, 0, 258}).size() == 3 + 260);
    }

    TEST_CASE("what has room leaves at once") {
        CHECK(whole_frames(frames({8}), 10) == 10);
        CHECK(whole_frames(frames({3, 3}), 10) == 10);
        CHECK(whole_frames(frames({3, 3}), 100) == 10);
    }

    TEST_CASE("a frame that would be cut waits for the next record") {
        CHECK(whole_frames(frames({3, 4}), 10) == 5);
        CHECK(whole_frames(frames({3, 3, 1}), 10) == 10);
        CHECK(whole_frames(frames({3, 3, 1}), 9) == 5);
    }

    TEST_CASE("one that no record holds leaves alone") {
        CHECK(whole_frames(frames({65535}), 16384) == 65537);
        CHECK(whole_frames(frames({65535, 3}), 16384) == 65537);
        CHECK(whole_frames(frames({3, 65535}), 16384) == 5);
    }
}

}  // namespace porchlight::forwarder
