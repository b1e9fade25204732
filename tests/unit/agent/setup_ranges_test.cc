#include "agent/setup_ranges.h"

#include <doctest/doctest.h>

namespace porchlight::agent::setup {
namespace {

net::Link home() {
    net::Link link;
    link.name = "br-lan";
    link.addresses = {{*parse_address("192.168.1.1"), 24}, {*parse_address("fd00:1:2:3::1"), 64}};
    return link;
}

TEST_SUITE("agent/setup_ranges") {
    TEST_CASE("a range of IPv4 addresses is DHCP for the network that it lies in") {
        const auto range = parse_dhcp_range("set:lan, tag:known,192.168.1.100 ,192.168.1.199,1h");
        REQUIRE(range);
        CHECK(range->dhcp);
        CHECK(!range->advertised);
        CHECK(covers(*range, home()));
        for (const char* other : {"192.168.2.100,192.168.2.199", "10.0.0.2,static"})
            CHECK(!covers(*parse_dhcp_range(other), home()));
    }

    TEST_CASE("of IPv6 the modes say whether there is DHCP, advertisements, or both") {
        const auto says = [](const char* value, bool dhcp, bool advertised) {
            CAPTURE(value);
            const auto range = parse_dhcp_range(value);
            REQUIRE(range);
            CHECK(range->dhcp == dhcp);
            CHECK(range->advertised == advertised);
            CHECK(covers(*range, home()));
        };
        says("fd00:1:2:3::100,fd00:1:2:3::1ff,64,1h", true, false);
        says("fd00:1:2:3::100,fd00:1:2:3::1ff,slaac", true, true);
        says("fd00:1:2:3::,static", true, false);
        says("fd00:1:2:3::,ra-only", false, true);
        says("fd00:1:2:3::,slaac", false, true);
        says("fd00:1:2:3::,ra-stateless,ra-names", true, true);
        says("::,constructor:br-lan,ra-names,64", false, true);
        says("::100,::1ff,constructor:br-*,1h", true, false);
        CHECK(!covers(*parse_dhcp_range("::,constructor:eth*,ra-only"), home()));
        CHECK(!covers(*parse_dhcp_range("fd00:1:2:4::,ra-only"), home()));
    }

    TEST_CASE("what is no range of addresses is none") {
        for (const char* value : {"", ",", "set:lan", "lan,1h", "tag:lan"})
            CHECK(!parse_dhcp_range(value));
    }

    TEST_CASE("a network is compared to its last bit and no further") {
        net::Link link;
        link.addresses = {{*parse_address("10.1.2.129"), 25}};
        CHECK(covers(*parse_dhcp_range("10.1.2.130,10.1.2.140"), link));
        CHECK(!covers(*parse_dhcp_range("10.1.2.100,10.1.2.120"), link));
        link.addresses = {{*parse_address("10.1.2.3"), 32}};
        CHECK(covers(*parse_dhcp_range("10.1.2.3,static"), link));
        CHECK(!covers(*parse_dhcp_range("10.1.2.2,static"), link));
    }

    TEST_CASE("words lose blanks and quotes, patterns end in a star") {
        CHECK(comma_separated(" a, \"b\" ,,c\r") == std::vector<std::string>{"a", "b", "c"});
        CHECK(any_matches({"eth0", "br-*"}, "br-lan"));
        CHECK(!any_matches({"eth0", "br-"}, "br-lan"));
    }
}

}  // namespace
}  // namespace porchlight::agent::setup
