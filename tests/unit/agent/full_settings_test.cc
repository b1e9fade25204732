#include "agent/full_settings.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

net::Link link(const char* name, unsigned index, const char* address) {
    net::Link made;
    made.name = name;
    made.index = index;
    made.up = made.carrier = true;
    net::LinkAddress own{*parse_address(address), 64};
    made.addresses = {own};
    return made;
}

Config home() {
    Config config;
    config.lan = {{"br-lan"}, {"br-guest"}};
    config.announce.ra_interval = std::chrono::seconds(100);
    return config;
}

TEST_SUITE("agent/full_settings") {
    const std::vector<net::Link> links{link("br-lan", 2, "fd01::1"), link("br-guest", 3, "fd02::1"),
                                       link("eth0", 4, "2001:db8::2")};

    TEST_CASE("RFC 7084 G-4: a router without a way out is no default router") {
        const std::vector<unsigned> none, by_wan{4}, by_lan{3};
        CHECK(full_settings(home(), links[0], {links, none}, {}).router_lifetime.count() == 0);
        CHECK(full_settings(home(), links[0], {links, by_lan}, {}).router_lifetime.count() == 0);
        CHECK(full_settings(home(), links[0], {links, by_wan}, {}).router_lifetime.count() == 1800);
    }

    TEST_CASE("RFC 7084 L-3: the home's other links are told as routes, the WAN is not") {
        const std::vector<unsigned> none;
        const ra::FullSettings settings = full_settings(home(), links[0], {links, none}, {});
        REQUIRE(settings.routes.size() == 1);
        CHECK(settings.routes[0] == ra::Prefix{*parse_ipv6("fd02::"), 64});
        CHECK(settings.route_lifetime == std::chrono::seconds(300));
    }

    TEST_CASE("the plain resolver is the one that is named, else the router itself") {
        const std::vector<unsigned> none;
        Config config = home();
        CHECK(full_settings(config, links[0], {links, none}, {}).rdnss ==
              std::vector{*parse_ipv6("fd01::1")});
        config.announce.router.rdnss = {*parse_ipv6("2001:db8::53")};
        CHECK(full_settings(config, links[0], {links, none}, {}).rdnss ==
              std::vector{*parse_ipv6("2001:db8::53")});
    }

    TEST_CASE("lifetimes count the pauses between the packets of a round") {
        const std::vector<unsigned> none;
        const auto lifetimes = [&](const ra::NdOptions& beside) {
            const ra::FullSettings settings =
                full_settings(home(), links[0], {links, none}, beside);
            CHECK(settings.dns_lifetime == settings.route_lifetime);
            return settings.dns_lifetime.count();
        };
        Buffer resolver(64, 0);
        resolver[0] = 144;
        resolver[1] = 8;
        CHECK(lifetimes({resolver}) == 300);
        CHECK(lifetimes(ra::NdOptions(19, resolver)) == 309);
        CHECK(lifetimes(ra::NdOptions(60, resolver)) == 327);
    }
}

}  // namespace
}  // namespace porchlight::agent
