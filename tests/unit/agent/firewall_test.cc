#include "agent/firewall.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

TEST_SUITE("agent/firewall") {
    TEST_CASE("only the LAN and this machine reach the encrypted ports; others get no answer") {
        const std::string rules = firewall_rules({{"br-lan", "br-guest"}, {853}});
        for (const char* transport : {"tcp", "udp"})
            CHECK(rules.find(std::string(transport) + " dport { 853 } iifname != { \"lo\", "
                                                      "\"br-lan\", \"br-guest\" } counter drop") !=
                  std::string::npos);
        CHECK(rules.find("reject") == std::string::npos);
    }

    TEST_CASE("it replaces what stood before in one transaction, and touches no other table") {
        const std::string rules = firewall_rules({{"br-lan"}, {853}});
        CHECK(rules.starts_with("add table inet porchlight\nflush table inet porchlight\n"));
        CHECK(rules.find("flush ruleset") == std::string::npos);
    }

    TEST_CASE("without a port there is nothing to close") {
        CHECK(firewall_rules({{"br-lan"}, {}}).find("drop") == std::string::npos);
        CHECK(fence(Config()).ports.empty());
    }

    TEST_CASE("from one port to another both are closed, each once") {
        Config before;
        before.lan = {{"br-lan"}, {"br-old"}};
        before.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
        before.resolver->dot.port = 853;
        Config after = before;
        after.lan = {{"br-lan"}, {"br-new"}};
        after.resolver->dot.port = 8853;
        const Fence fences = both(fence(before), fence(after));
        CHECK(fences.lan_interfaces == std::vector<std::string>{"br-lan", "br-old", "br-new"});
        CHECK(fences.ports == std::vector<std::uint16_t>{853, 8853});
        CHECK(both(fence(before), fence(before)).ports == std::vector<std::uint16_t>{853});
        before.resolver->doh = {{443, "/a{?dns}"}, {443, "/b{?dns}"}, {8443, "/a{?dns}"}};
        CHECK(fence(before).ports == std::vector<std::uint16_t>{853, 443, 8443});
    }
}

}  // namespace
}  // namespace porchlight::agent
