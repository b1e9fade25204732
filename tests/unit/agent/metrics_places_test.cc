#include "agent/metrics_places.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

net::Link link(const char* name, unsigned index, const char* address) {
    net::Link one;
    one.name = name;
    one.index = index;
    one.up = true;
    one.addresses = {{*parse_address(address)}};
    return one;
}

Config home(std::initializer_list<const char*> listen) {
    Config config;
    config.lan = {{"br-lan"}};
    config.wan = {{"eth0"}};
    for (const char* at : listen) config.metrics.listen.push_back(*parse_endpoint(at, 9853));
    return config;
}

const std::vector<net::Link> links = {link("lo", 1, "127.0.0.1"), link("eth0", 2, "192.0.2.2"),
                                      link("br-lan", 7, "192.168.77.1")};

TEST_SUITE("agent/metrics_places") {
    TEST_CASE("loopback is always one, and bound to no interface") {
        const auto places = metrics_places(home({"127.0.0.1", "[::1]:9000"}), {});
        CHECK(places.open == std::vector<MetricsPlace>{{*parse_endpoint("127.0.0.1:9853", 0), ""},
                                                       {*parse_endpoint("[::1]:9000", 0), ""}});
        CHECK(places.refused.empty());
    }

    TEST_CASE("an address toward the home is bound to its interface, as it is now") {
        const Config config = home({"192.168.77.1"});
        const Endpoint at = config.metrics.listen[0];
        CHECK(metrics_places(config, links).open == std::vector<MetricsPlace>{{at, "br-lan", 7}});
        auto made_anew = links;
        made_anew[2].index = 9;
        CHECK(metrics_places(config, made_anew).open ==
              std::vector<MetricsPlace>{{at, "br-lan", 9}});
    }

    TEST_CASE("the WAN's is none, nor is a stranger's or one that is not proved unique yet") {
        const Config config = home({"192.0.2.2", "192.0.2.99", "192.168.77.1"});
        auto tentative = links;
        tentative[2].addresses[0].tentative = true;
        const auto places = metrics_places(config, tentative);
        CHECK(places.open.empty());
        REQUIRE(places.refused.size() == 3);
        CHECK(places.refused.begin()->second ==
              "192.0.2.2 is no address of this router on an interface of lan");
    }
}

}  // namespace
}  // namespace porchlight::agent
