#include "ra/mirror.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start = Clock::time_point(1000s);
const RouterHeader daemon_header{64, 0xc8, 1800s, 30000ms, 1000ms};
const RouterHeader no_default_router{64, 0xc0, 0s, 0ms, 0ms};

TEST_SUITE("ra/mirror") {
    TEST_CASE("there is no header before the daemon was heard") {
        const Mirror mirror;
        CHECK(!mirror.header(start));
    }

    TEST_CASE("flags and lifetime are copied, the rest is left unspecified") {
        Mirror mirror;
        mirror.on_advertisement(daemon_header, start);
        CHECK(mirror.header(start) == RouterHeader{0, 0xc8, 1800s, 0ms, 0ms});
    }

    TEST_CASE("a changed header is followed at once") {
        Mirror mirror;
        mirror.on_advertisement(daemon_header, start);
        mirror.on_advertisement({64, 0, 900s, 0ms, 0ms}, start + 1s);
        CHECK(mirror.header(start + 1s) == RouterHeader{0, 0, 900s, 0ms, 0ms});
    }

    TEST_CASE("a silent daemon is forgotten after its own Router Lifetime") {
        Mirror mirror;
        mirror.on_advertisement(daemon_header, start);
        CHECK(mirror.header(start + 1799s));
        CHECK(!mirror.header(start + 1800s));
        mirror.on_advertisement(daemon_header, start + 1801s);
        CHECK(mirror.header(start + 1801s));
    }

    TEST_CASE("after the daemon's farewell no old header is copied") {
        Mirror mirror;
        mirror.on_advertisement(daemon_header, start);
        for (int i = 0; i < 3; ++i) {
            mirror.on_advertisement(no_default_router, start + i * 16s);
            CHECK(!mirror.header(start + i * 16s));
        }
        CHECK(!mirror.header(start + 500s));
        mirror.on_advertisement(daemon_header, start + 600s);
        CHECK(mirror.header(start + 600s));
    }

    TEST_CASE("a daemon that goes on without being a default router is copied as such") {
        Mirror mirror;
        mirror.on_advertisement(daemon_header, start);
        mirror.on_advertisement(no_default_router, start + 10s);
        mirror.on_advertisement(no_default_router, start + 71s);
        CHECK(mirror.header(start + 71s) == RouterHeader{0, 0xc0, 0s, 0ms, 0ms});
        CHECK(!mirror.header(start + 71s + Mirror::silence_max));
    }

    TEST_CASE("a daemon that never was a default router is copied from the first") {
        Mirror mirror;
        mirror.on_advertisement(no_default_router, start);
        CHECK(mirror.header(start));
    }

    TEST_CASE("our own advertisements are told from a daemon's") {
        const Buffer dnr = hex("9001000100000e10");
        const Buffer link_layer = hex("0101020000000001");
        const RouterHeader copied{0, 0xc0, 1800s, 0ms, 0ms};
        CHECK(is_supplement({copied, {dnr}}));
        CHECK(is_supplement({copied, {dnr, hex("fd01000000000000")}}));
        CHECK(!is_supplement({copied, {}}));
        CHECK(!is_supplement({copied, {dnr, link_layer}}));
        CHECK(!is_supplement({daemon_header, {dnr}}));
    }
}

}  // namespace
}  // namespace porchlight::ra
