#include "agent/attached_network.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

net::Link link(const char* name, std::vector<const char*> addresses) {
    net::Link link;
    link.name = name;
    for (const char* address : addresses) link.addresses.push_back({*parse_address(address), 64});
    return link;
}

Config config(std::vector<WanConfig> wan) {
    Config config;
    config.lan = {{"br-lan"}};
    config.wan = std::move(wan);
    return config;
}

}  // namespace

TEST_SUITE("agent/attached_network") {
    TEST_CASE("it is the IPv4 addresses and IPv6 prefixes of the WANs, in no order") {
        const Config with_wans = config({{"wan0"}, {"wan1"}});
        const auto lan = link("br-lan", {"192.168.1.1", "fd00::1"});
        const auto one = link("wan0", {"192.0.2.7", "2001:db8:1:2:3::4", "fe80::1"});
        const auto two = link("wan1", {"198.51.100.1"});
        const std::string word = attached_network(with_wans, {lan, one, two});
        CHECK(word == "wan0 192.0.2.7, wan0 2001:db8:1:2::, wan1 198.51.100.1");
        CHECK(attached_network(with_wans, {two, one}) == word);
        const auto renumbered = link("wan0", {"192.0.2.7", "2001:db8:1:2:ffff::9"});
        CHECK(attached_network(with_wans, {renumbered, two}) == word);
        const auto elsewhere = link("wan0", {"192.0.2.8", "2001:db8:1:2:3::4"});
        CHECK(attached_network(with_wans, {elsewhere, two}) != word);
        const auto another_prefix = link("wan0", {"192.0.2.7", "2001:db8:1:3:3::4"});
        CHECK(attached_network(with_wans, {another_prefix, two}) != word);
    }

    TEST_CASE("without a wan it is whatever is no LAN's and no loopback") {
        const auto lo = link("lo", {"127.0.0.1", "::1"});
        const auto lan = link("br-lan", {"192.168.1.1"});
        CHECK(attached_network(config({}), {lo, lan, link("eth0", {"192.0.2.7"})}) ==
              "eth0 192.0.2.7");
        CHECK(attached_network(config({}), {lo, lan, link("eth0", {"fe80::1"})}) == "");
    }
}

}  // namespace porchlight::agent
