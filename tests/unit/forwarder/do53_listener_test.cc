#include "forwarder/do53_listener.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "net/socket_address.h"

namespace porchlight::forwarder {
namespace {

bool is_heard(const std::string& address) {
    const auto parsed = parse_address(address);
    REQUIRE(parsed);
    const net::SocketAddress from({*parsed, 40000, 0});
    sockaddr_storage storage{};
    std::memcpy(&storage, from.get(), from.size());
    const bool by_datagram = is_loopback(storage);
    CHECK(by_datagram == porchlight::is_loopback(*parsed));  // as connections are judged
    return by_datagram;
}

}  // namespace

TEST_SUITE("forwarder/do53_listener") {
    TEST_CASE("plain questions are heard from this machine alone") {
        for (const char* own : {"127.0.0.1", "127.255.255.254", "::1"}) CHECK(is_heard(own));
        for (const char* other : {"126.255.255.255", "128.0.0.1", "192.168.1.2", "0.0.0.0",
                                  "::", "::2", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "100::1"})
            CHECK(!is_heard(other));
        CHECK(!is_loopback(sockaddr_storage{}));
    }
}

}  // namespace porchlight::forwarder
