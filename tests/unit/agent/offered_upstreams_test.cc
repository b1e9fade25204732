#include "agent/offered_upstreams.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

Config home() {
    Config config;
    config.lan = {{"br-lan"}};
    config.wan = {{"eth0"}};
    config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
    return config;
}

std::vector<net::Link> links() {
    net::Link wan, lan;
    wan.name = "eth0";
    lan.name = "br-lan";
    net::LinkAddress own;
    own.prefix = 24;
    own.address = *parse_address("192.0.2.2");
    wan.addresses = {own};
    own.address = *parse_address("192.168.1.1");
    lan.addresses = {own};
    return {wan, lan};
}

Offer offer(const char* name, std::vector<const char*> addresses, std::vector<std::string> alpn) {
    Offer made{"eth0", OfferSource::dhcpv4, {}, {}};
    made.resolver.priority = 1;
    made.resolver.adn = *dns::parse_name(name);
    for (const char* address : addresses)
        made.resolver.addresses.push_back(*parse_address(address));
    made.resolver.params.alpn = std::move(alpn);
    return made;
}

dns::Designation designation(const char* target, std::vector<const char*> addresses) {
    dns::Designation made;
    made.svcb.priority = 1;
    made.svcb.target = *dns::parse_name(target);
    made.svcb.params.alpn = {"dot"};
    for (const char* address : addresses) made.addresses.push_back(*parse_address(address));
    return made;
}

/// "dns.isp.test at 192.0.2.53:853, proved by 192.0.2.53; ..."
std::string text(const std::vector<forwarder::UpstreamSettings>& upstreams) {
    std::string all;
    for (const auto& one : upstreams) {
        all += (all.empty() ? "" : "; ") + dns::to_host(one.adn) + " at";
        for (const Endpoint& at : one.addresses) all += " " + to_text(at);
        if (!one.designated) continue;
        const auto* address = std::get_if<IpAddress>(&*one.designated);
        all += address != nullptr ? ", proved by " + to_text(*address) : ", unproved";
    }
    return all;
}

std::string designated(const char* plain, std::vector<dns::Designation> designations) {
    return text(designated_upstreams(home(), links(), *parse_address(plain), designations));
}

TEST_SUITE("agent/offered_upstreams") {
    TEST_CASE("what can be asked over TLS is asked, in the order of the offers, once") {
        std::vector<Offer> offers{
            offer("b.example", {"192.0.2.54"}, {"dot"}),
            offer("a.example", {"192.0.2.53", "2001:db8::53"}, {"dot", "h2"})};
        offers[0].resolver.priority = 2;
        offers[0].resolver.params.port = 8853;
        offers[1].resolver.params.dohpath = "/dns-query{?dns}";
        offers.push_back(offers[1]);
        offers[2].source = OfferSource::ra;
        CHECK(text(offered_upstreams(home(), links(), offers)) ==
              "a.example at 192.0.2.53:853 [2001:db8::53]:853; b.example at 192.0.2.54:8853");
    }

    TEST_CASE("what can't be asked, leads back or is nobody else is left out") {
        std::vector<Offer> offers{offer("doh.example", {"192.0.2.53"}, {"h2"}),
                                  offer("name.example", {}, {}),
                                  offer("demands.example", {"192.0.2.55"}, {"dot"}),
                                  offer("cpe1.example.net", {"192.0.2.56"}, {"dot"}),
                                  offer("here.example", {"192.0.2.2"}, {"dot"}),
                                  offer("inside.example", {"192.168.1.9"}, {"dot"})};
        offers[0].resolver.params.dohpath = "/dns-query{?dns}";
        CHECK(text(offered_upstreams(home(), links(), offers)) ==
              "demands.example at 192.0.2.55:853");
        offers[2].resolver.params.mandatory = {65280};
        CHECK(offered_upstreams(home(), links(), offers).empty());
    }

    TEST_CASE("who is designated proves the address of who designates") {
        CHECK(designated("198.51.100.1", {designation("dns.isp.test", {"192.0.2.53"})}) ==
              "dns.isp.test at 192.0.2.53:853, proved by 198.51.100.1");
        // The very address, but everybody's: section 4.3 is about private ones.
        CHECK(designated("198.51.100.1", {designation("dns.isp.test", {"198.51.100.1"})}) ==
              "dns.isp.test at 198.51.100.1:853, proved by 198.51.100.1");
        CHECK(designated("100.64.0.1", {designation("dns.isp.test", {"100.64.0.1"})}) ==
              "dns.isp.test at 100.64.0.1:853, proved by 100.64.0.1");
    }

    TEST_CASE("without a proof is asked only a private address that designates itself, and last") {
        CHECK(designated("10.0.0.1", {designation("a.test", {"10.0.0.1", "10.0.0.2"}),
                                      designation("b.test", {"10.0.0.2"})}) ==
              "a.test at 10.0.0.1:853 10.0.0.2:853, proved by 10.0.0.1; "
              "b.test at 10.0.0.2:853, proved by 10.0.0.1; a.test at 10.0.0.1:853, unproved");
    }

    TEST_CASE("designations that nobody can follow are left out") {
        std::vector<dns::Designation> all{designation("doh.test", {"192.0.2.1"}),
                                          designation("alias.test", {"192.0.2.3"}),
                                          designation(".", {"192.0.2.4"}),
                                          designation("nowhere.test", {}),
                                          designation("inside.test", {"192.168.1.9"}),
                                          designation("malformed.test", {})};
        all[0].svcb.params.alpn = {"h2"};
        all[0].svcb.params.dohpath = "/q{?dns}";
        all[1].svcb.priority = 0;
        all[5].malformed = "cut short";
        CHECK(designated("198.51.100.1", all) == "");
    }
}

}  // namespace
}  // namespace porchlight::agent
