#include "agent/guard_ports.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

net::Link link(const char* name, unsigned index, unsigned master = 0, bool bridge = false) {
    net::Link link;
    link.name = name;
    link.index = index;
    link.up = true;
    link.master = master;
    link.bridge = bridge;
    link.hardware_address = {2, 0, 0, 0, 0, static_cast<std::uint8_t>(index)};
    return link;
}

/// A home with a bridge of three ports, a guest bridge of one and a link that is none.
std::vector<net::Link> some_links() {
    return {link("lo", 1),
            link("eth0", 2),
            link("br-lan", 3, 0, true),
            link("lan1", 4, 3),
            link("wlan0", 5, 3),
            link("br-guest", 6, 0, true),
            link("wlan1", 7, 6),
            link("eth9", 8),
            link("lan2", 9, 3),
            link("br-other", 10, 0, true),
            link("tap0", 11, 10)};
}

Config some_config() {
    Config config;
    config.lan = {{"br-lan"}, {"br-guest"}, {"eth9"}, {"not-there"}};
    return config;
}

std::string names(const std::vector<GuardPort>& ports) {
    std::string text;
    for (const GuardPort& one : ports) text += one.link + "/" + one.port + " ";
    return text;
}

TEST_SUITE("agent/guard_ports") {
    TEST_CASE("each port of the home's bridges is listened at, and each link that is none") {
        CHECK(names(guard_ports(some_config(), some_links())) ==
              "br-lan/lan1 br-lan/wlan0 br-lan/lan2 br-guest/wlan1 eth9/eth9 ");
        // Where nothing is bridged nothing passes by.
        CHECK(names(bridge_ports(some_config(), some_links())) ==
              "br-lan/lan1 br-lan/wlan0 br-lan/lan2 br-guest/wlan1 ");
    }

    TEST_CASE("a port of another VLAN of the same bridge is of another network") {
        auto links = some_links();
        links[2].untagged_vlan = links[3].untagged_vlan = 10;
        links[4].untagged_vlan = 20;
        // As long as the bridge keeps none apart, all are.
        CHECK(names(guard_ports(some_config(), links)).find("wlan0") != std::string::npos);
        CHECK(net::vlan_of(links[2]) == 0);
        links[2].filters_vlans = true;
        CHECK(net::vlan_of(links[2]) == 10);
        CHECK(names(guard_ports(some_config(), links)) == "br-lan/lan1 br-guest/wlan1 eth9/eth9 ");
        // Tagged, it may have hosts of the home.
        CHECK(names(bridge_ports(some_config(), links)) ==
              "br-lan/lan1 br-lan/wlan0 br-lan/lan2 br-guest/wlan1 ");
    }

    TEST_CASE("what is trusted is left alone") {
        Config config = some_config();
        config.guard.trusted_ports = {"wlan0", "eth9"};
        CHECK(names(guard_ports(config, some_links())) ==
              "br-lan/lan1 br-lan/lan2 br-guest/wlan1 ");
        CHECK(names(bridge_ports(config, some_links())) ==
              "br-lan/lan1 br-lan/lan2 br-guest/wlan1 ");
    }

    TEST_CASE("a link without Ethernet has no such servers") {
        auto links = some_links();
        links[7].hardware_address.clear();
        CHECK(names(guard_ports(some_config(), links)).find("eth9") == std::string::npos);
    }

    TEST_CASE("the loopback link has nobody else on it") {
        auto links = some_links();
        Config config;
        config.lan = {{"lo"}};
        CHECK(names(guard_ports(config, links)) == "lo/lo ");
        links[0].hardware_address = Buffer(6, 0);
        CHECK(guard_ports(config, links).empty());
    }

    TEST_CASE("whose words are this router's own") {
        auto links = some_links();
        links[0].hardware_address = Buffer(6);  // of the loopback
        links[1].up = false;
        links[2].addresses = {{*parse_address("192.168.77.1"), 24}};
        Plan plan;
        plan.links = {{"br-lan", {{}}, ""}};
        plan.groups = {{"kids", {"br-lan"}, {{}, {}}}};
        Config config = some_config();
        config.guard.trusted_ports = {"wlan0"};
        config.guard.trusted_macs = {{{2, 0, 0, 0, 0, 9}}};
        const GuardFacts facts = guard_facts(config, links, plan);
        CHECK(facts.macs.size() == links.size() - 2);
        CHECK(facts.macs[0] == net::MacAddress{{2, 0, 0, 0, 0, 3}});
        CHECK(facts.addresses == std::vector<IpAddress>{*parse_address("192.168.77.1")});
        CHECK(facts.planned.size() == 3);
        CHECK(facts.trusted_macs == config.guard.trusted_macs);
        CHECK(facts.trusted_ports == config.guard.trusted_ports);
        CHECK(facts.links == std::vector<std::string>{"br-lan", "br-guest", "eth9", "not-there"});
    }

    TEST_CASE("ports travel from keeper to agent") {
        const std::vector<GuardHandover::Port> ports{{{"br-lan", "lan1", 4}, true},
                                                     {{"eth9", "eth9", 8}, false}};
        Writer out;
        write(out, ports);
        const Buffer octets = *out.take();
        const auto read = parse_guard_ports(octets);
        REQUIRE(read);
        REQUIRE(read->size() == 2);
        CHECK((*read)[0].port == ports[0].port);
        CHECK((*read)[0].is_new);
        CHECK((*read)[1].port == ports[1].port);
        CHECK(!(*read)[1].is_new);
        CHECK(!parse_guard_ports(Bytes(octets).first(octets.size() - 1)));
    }

    TEST_CASE("more ports than are listened at are told") {
        GuardPorts ports;
        std::vector<GuardPort> many(guard_ports_max + 1, {"br-lan", "gone0", 0x7ffffff0});
        (void)ports.follow(many);
        CHECK(ports.hindered().contains(
            "listen for rogue routers and DHCP servers at more than 128 ports"));
        many.pop_back();
        (void)ports.follow(many);
        CHECK(!ports.hindered().contains(
            "listen for rogue routers and DHCP servers at more than 128 ports"));
    }
}

TEST_SUITE("agent/guard_socket") {
    TEST_CASE("a port that is gone by now needs no word, nor does having nothing to listen at") {
        GuardPorts ports;
        CHECK(!ports.follow({}));
        CHECK(!ports.follow({{"br-lan", "gone0", 0x7ffffff0}}));
        for (const auto& [what, why] : ports.hindered())
            CHECK(why == "");  // without the privilege to listen at all
    }
}

}  // namespace
}  // namespace porchlight::agent
