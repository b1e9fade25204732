#include "agent/offered_upstreams.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

Offer offer(const char* name, std::vector<const char*> addresses, std::vector<std::string> alpn) {
    Offer made{"eth0", OfferSource::dhcpv4, {}, {}};
    made.resolver.adn = *dns::parse_name(name);
    for (const char* address : addresses)
        made.resolver.addresses.push_back(*parse_address(address));
    made.resolver.params.alpn = std::move(alpn);
    return made;
}

TEST_SUITE("agent/offered_upstreams") {
    TEST_CASE("what can be asked over TLS is asked, in the order of the offers, once") {
        std::vector<Offer> offers{offer("a.example", {"192.0.2.53", "2001:db8::53"}, {"dot", "h2"}),
                                  offer("b.example", {"192.0.2.54"}, {"dot"})};
        offers[0].resolver.params.dohpath = "/dns-query{?dns}";
        offers[1].resolver.params.port = 8853;
        offers.push_back(offers[0]);
        offers[2].source = OfferSource::ra;
        const auto upstreams = offered_upstreams(offers);
        REQUIRE(upstreams.size() == 2);
        CHECK(upstreams[0].adn == *dns::parse_name("a.example"));
        CHECK(upstreams[0].addresses == std::vector{*parse_endpoint("192.0.2.53:853", 0),
                                                    *parse_endpoint("[2001:db8::53]:853", 0)});
        CHECK(!upstreams[0].designated);
        CHECK(upstreams[1].addresses == std::vector{*parse_endpoint("192.0.2.54:8853", 0)});
    }

    TEST_CASE("what speaks no DoT, demands what we don't know, or is a name alone is left out") {
        std::vector<Offer> offers{offer("doh.example", {"192.0.2.53"}, {"h2"}),
                                  offer("name.example", {}, {}),
                                  offer("demands.example", {"192.0.2.53"}, {"dot"})};
        CHECK(offered_upstreams(std::span(offers).last(1)).size() == 1);
        offers[2].resolver.params.mandatory = {65280};
        CHECK(offered_upstreams(offers).empty());
    }
}

}  // namespace
}  // namespace porchlight::agent
