#include "dns/blocked_ports.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>

namespace porchlight::dns {
namespace {

TEST_SUITE("dns/blocked_ports") {
    TEST_CASE("ports of other protocols are blocked, those of DNS and the web are not") {
        for (const int port : {0, 1, 25, 53, 110, 636, 995, 2049, 6000, 6697, 10080}) {
            CAPTURE(port);
            CHECK(is_blocked_port(static_cast<std::uint16_t>(port)));
        }
        for (const int port : {80, 443, 784, 853, 5353, 5453, 6670, 8443, 8853, 10081, 65535}) {
            CAPTURE(port);
            CHECK(!is_blocked_port(static_cast<std::uint16_t>(port)));
        }
    }
}

}  // namespace
}  // namespace porchlight::dns
