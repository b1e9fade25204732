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
        mirror.on_advertisement(daemon_header, false, start);
        CHECK(mirror.header(start) == RouterHeader{0, 0xc8, 1800s, 0ms, 0ms});
    }

    TEST_CASE("a changed header is followed at once") {
        Mirror mirror;
        mirror.on_advertisement(daemon_header, false, start);
        mirror.on_advertisement({64, 0, 900s, 0ms, 0ms}, false, start + 1s);
        CHECK(mirror.header(start + 1s) == RouterHeader{0, 0, 900s, 0ms, 0ms});
    }

    TEST_CASE("a silent daemon is forgotten after its own Router Lifetime") {
        Mirror mirror;
        mirror.on_advertisement(daemon_header, false, start);
        CHECK(mirror.header(start + 1799s));
        CHECK(!mirror.header(start + 1800s));
        mirror.on_advertisement(daemon_header, false, start + 1801s);
        CHECK(mirror.header(start + 1801s));
    }

    TEST_CASE("after the daemon's farewell no old header is copied") {
        Mirror mirror;
        mirror.on_advertisement(daemon_header, false, start);
        for (int i = 0; i < 3; ++i) {
            mirror.on_advertisement(no_default_router, false, start + i * 16s);
            CHECK(!mirror.header(start + i * 16s));
        }
        CHECK(!mirror.header(start + 500s));
        mirror.on_advertisement(daemon_header, false, start + 600s);
        CHECK(mirror.header(start + 600s));
    }

    TEST_CASE("a daemon that goes on without being a default router is copied as such") {
        Mirror mirror;
        mirror.on_advertisement(daemon_header, false, start);
        mirror.on_advertisement(no_default_router, false, start + 10s);
        mirror.on_advertisement(no_default_router, false, start + 71s);
        CHECK(mirror.header(start + 71s) == RouterHeader{0, 0xc0, 0s, 0ms, 0ms});
        CHECK(!mirror.header(start + 71s + Mirror::silence_max));
    }

    TEST_CASE("a daemon that never was a default router is copied from the first") {
        Mirror mirror;
        mirror.on_advertisement(no_default_router, false, start);
        CHECK(mirror.header(start));
    }

    TEST_CASE("the lifetime is what is left of the daemon's") {
        Mirror mirror;
        mirror.on_advertisement(daemon_header, false, start);
        CHECK(mirror.header(start + 600s)->router_lifetime == 1200s);
        CHECK(mirror.header(start + 600500ms)->router_lifetime == 1200s);
        CHECK(mirror.header(start + 1799900ms)->router_lifetime == 1s);
        CHECK(mirror.last(start + 1800s)->router_lifetime == 0s);
    }

    TEST_CASE("a daemon that answers when asked has not ended") {
        Mirror mirror;
        mirror.on_advertisement(daemon_header, false, start);
        mirror.on_advertisement(no_default_router, false, start + 10s);
        CHECK(mirror.farewell() == start + 10s);
        mirror.on_advertisement(no_default_router, true, start + 11s);
        CHECK(!mirror.farewell());
        CHECK(mirror.header(start + 11s) == RouterHeader{0, 0xc0, 0s, 0ms, 0ms});
    }

    TEST_CASE("what a former process heard serves to take back, not to announce") {
        Mirror mirror;
        mirror.remember(daemon_header, start + 1000s, start + 2s);
        CHECK(!mirror.heard());
        CHECK(!mirror.last(start + 1s));
        CHECK(mirror.last(start + 2s) == RouterHeader{0, 0xc8, 998s, 0ms, 0ms});
        CHECK(!mirror.header(start + 2s));
        CHECK(!mirror.last(start + 1000s));
        mirror.on_advertisement(daemon_header, false, start + 3s);
        CHECK(mirror.header(start + 3s)->router_lifetime == 1800s);
        mirror.remember(no_default_router, start, start);
        CHECK(mirror.header(start + 3s)->router_lifetime == 1800s);

        Mirror told;
        told.remember(daemon_header, start + 1000s, start);
        told.on_told();
        CHECK(told.last(start + 1000s) == RouterHeader{0, 0xc8, 0s, 0ms, 0ms});
        CHECK(!told.header(start));

        Mirror after_boot;
        after_boot.remember(daemon_header, start + 2000s, start);
        CHECK(!after_boot.last(start));
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
