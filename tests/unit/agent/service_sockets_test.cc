#include "agent/service_sockets.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

const IpAddress here{Ipv4{{127, 0, 0, 1}}};
const IpAddress elsewhere{Ipv4{{192, 0, 2, 1}}};  // as ::1 is where IPv6 is switched off

TEST_SUITE("agent/service_sockets") {
    TEST_CASE("old hosts are served though one of the loopback addresses is not there") {
        const auto sockets = open_do53_sockets({elsewhere, here}, 0, 2);
        REQUIRE(sockets);
        CHECK(sockets->size() == 4);  // UDP and TCP, two workers
    }

    TEST_CASE("none at all is a failure") {
        const auto sockets = open_do53_sockets({elsewhere}, 0, 1);
        REQUIRE(!sockets);
        CHECK(sockets.error().code == Errc::refused);
    }
}

}  // namespace
}  // namespace porchlight::agent
