#include "agent/setup_found.h"

#include <doctest/doctest.h>

namespace porchlight::agent::setup {
namespace {

using Names = std::vector<std::string>;

FoundLink link(const char* name, std::vector<std::pair<const char*, unsigned>> addresses) {
    FoundLink one;
    one.link.name = name;
    one.link.up = true;
    for (const auto& [text, prefix] : addresses)
        one.link.addresses.push_back({*parse_address(text), prefix});
    return one;
}

FoundLink bridge(const char* name, const char* address) {
    FoundLink one = link(name, {{address, 24}});
    one.bridge = true;
    return one;
}

/// The way to the Internet, behind another router.
FoundLink wan(const char* name) {
    FoundLink one = link(name, {{"192.168.178.20", 24}});
    one.default_route = true;
    return one;
}

DnsmasqFound dnsmasq(Names interfaces) {
    DnsmasqFound one;
    one.interfaces = std::move(interfaces);
    return one;
}

TEST_SUITE("agent/setup_found") {
    TEST_CASE("a bridge with a private address is the home, the default route the Internet") {
        FoundLink loopback = link("lo", {{"10.9.9.9", 8}});
        loopback.loopback = true;
        FoundLink port = link("lan0", {{"fd00::7", 64}});
        port.bridge_port = true;
        const Proposal proposal =
            propose({{loopback, wan("eth0"), port, bridge("br-lan", "192.168.1.1")}, {}});
        CHECK(proposal.lan == Names{"br-lan"});
        CHECK(proposal.lan_is_sure);
        CHECK(proposal.wan == Names{"eth0"});
        CHECK(!proposal.dnsmasq);
    }

    TEST_CASE("without a bridge any link with a private or unique local address may be it") {
        CHECK(propose({{wan("eth0"), link("eth1", {{"10.0.0.1", 24}})}, {}}).lan == Names{"eth1"});
        CHECK(propose({{wan("eth0"), link("eth1", {{"fd00::1", 64}})}, {}}).lan == Names{"eth1"});
        CHECK(propose({{wan("eth0"), link("eth1", {{"172.31.0.1", 24}})}, {}}).lan ==
              Names{"eth1"});
        for (const char* other :
             {"172.32.0.1", "192.0.2.1", "100.64.0.1", "fe80::1", "2001:db8::1"})
            CHECK(propose({{wan("eth0"), link("eth1", {{other, 24}})}, {}}).lan.empty());
    }

    TEST_CASE("a link that is down, and a tunnel's end, are no home") {
        FoundLink down = bridge("br-lan", "192.168.1.1");
        down.link.up = false;
        CHECK(propose({{down, link("wg0", {{"10.7.0.1", 32}})}, {}}).lan.empty());
    }

    TEST_CASE("bridges of containers and virtual machines are the last to be taken") {
        const FoundLink docker = bridge("docker0", "172.17.0.1");
        const FoundLink compose = bridge("br-0123456789ab", "172.18.0.1");
        const FoundLink home = link("eth1", {{"192.168.1.1", 24}});
        const Proposal beside = propose({{wan("eth0"), docker, compose, home}, {}});
        CHECK(beside.lan == Names{"eth1"});
        CHECK(beside.lan_is_sure);
        const Proposal alone = propose({{wan("eth0"), docker}, {}});
        CHECK(alone.lan == Names{"docker0"});
        CHECK(!alone.lan_is_sure);
    }

    TEST_CASE("several candidates, or no way to the Internet, are worth a question") {
        const FoundLink home = bridge("br-lan", "192.168.1.1");
        const Proposal several = propose({{wan("eth0"), home, bridge("br-guest", "10.0.0.1")}, {}});
        CHECK(several.lan == Names{"br-lan", "br-guest"});
        CHECK(!several.lan_is_sure);
        CHECK(!propose({{home}, {}}).lan_is_sure);
    }

    TEST_CASE("the interfaces that dnsmasq names settle it") {
        const Found found{{wan("eth0"), bridge("br-lan", "192.168.1.1"), bridge("br-x", "10.0.0.1"),
                           link("wlan0", {{"10.1.0.1", 24}})},
                          {dnsmasq({"br-lan", "wlan0", "eth0"})}};
        const Proposal proposal = propose(found);
        CHECK(proposal.lan == Names{"br-lan", "wlan0"});
        CHECK(proposal.lan_is_sure);
        CHECK(proposal.dnsmasq == found.dnsmasq[0]);
    }

    TEST_CASE("of several dnsmasqs it is the home's, not that of virtual machines") {
        Found found{
            {wan("eth0"), bridge("virbr0", "192.168.122.1"), bridge("br-lan", "192.168.1.1")},
            {dnsmasq({"virbr0"})}};
        CHECK(!propose(found).dnsmasq);
        found.dnsmasq.push_back(dnsmasq({}));
        CHECK(propose(found).dnsmasq == found.dnsmasq[1]);
        found.dnsmasq.push_back(dnsmasq({"br-lan"}));
        CHECK(propose(found).dnsmasq == found.dnsmasq[2]);
    }
}

}  // namespace
}  // namespace porchlight::agent::setup
