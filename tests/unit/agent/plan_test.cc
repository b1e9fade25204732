#include "agent/plan.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

net::LinkAddress address(const char* text) {
    return {*parse_address(text), 64, false, false, false, {}};
}

net::Link br_lan(std::vector<net::LinkAddress> addresses) {
    net::Link link;
    link.name = "br-lan";
    link.index = 2;
    link.up = link.carrier = true;
    link.addresses = std::move(addresses);
    return link;
}

Config home() {
    Config config;
    config.lan = {{"br-lan"}};
    config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
    return config;
}

Facts good_facts() {
    return {{br_lan({address("192.168.1.1"), address("fe80::1"), address("2001:db8::1"),
                     address("fd00::1")})},
            {{"br-lan", true, ""}}};
}

AnnouncedResolver named(const char* adn, std::optional<std::uint16_t> priority) {
    AnnouncedResolver resolver;
    resolver.adn = *dns::parse_name(adn);
    resolver.priority = priority;
    return resolver;
}

std::string names_of(const std::vector<dns::EncryptedResolver>& resolvers) {
    std::string names;
    for (const auto& resolver : resolvers)
        names += (names.empty() ? "" : " ") + dns::to_text(resolver.adn);
    return names;
}

Config relay_home() {
    Config config;
    config.lan = {{"br-lan"}};
    config.wan = {{"eth0"}};
    return config;
}

Offer offer(const char* adn, std::optional<Clock::time_point> until) {
    Offer made{"eth0", OfferSource::dhcpv4, {}, until};
    made.resolver.adn = *dns::parse_name(adn);
    made.resolver.addresses = {*parse_address("192.0.2.53")};
    made.resolver.params.alpn = {"dot"};
    return made;
}

TEST_SUITE("agent/plan") {
    TEST_CASE("a fit router is announced by one address of each family") {
        const Plan planned = plan(home(), good_facts());
        CHECK(planned.mode == Mode::forwarder);
        REQUIRE(planned.links.size() == 1);
        REQUIRE(planned.links[0].resolvers.size() == 1);
        const dns::EncryptedResolver& resolver = planned.links[0].resolvers[0];
        CHECK(resolver.priority == 1);
        CHECK(dns::to_text(resolver.adn) == "cpe1.example.net.");
        CHECK(resolver.params.alpn == std::vector<std::string>{"dot"});
        CHECK(!resolver.params.port);
        CHECK(resolver.addresses ==
              std::vector<IpAddress>{*parse_address("192.168.1.1"), *parse_address("fd00::1")});
    }

    TEST_CASE("a port other than the protocol's own is told") {
        Config config = home();
        config.resolver->dot.port = 8853;
        Facts facts = good_facts();
        facts.fitness[0].port = 8853;
        const Plan planned = plan(config, facts);
        CHECK(planned.links[0].resolvers[0].params.port == 8853);
    }

    TEST_CASE("hosts are told of those services alone that are fit") {
        Config config = home();
        config.resolver->doh = {{443, "/dns-query{?dns}"}, {8443, "/late{?dns}"}};
        Facts facts = good_facts();
        facts.fitness = {{"br-lan", true, "", true, 853},
                         {"br-lan", true, "", true, 443},
                         {"br-lan", false, "it hangs", true, 8443}};
        const std::vector<std::string> both{"dot", "h2"};
        auto resolvers = plan(config, facts).links[0].resolvers;
        REQUIRE(resolvers.size() == 1);
        CHECK(resolvers[0].params.alpn == both);
        CHECK(resolvers[0].params.dohpath == "/dns-query{?dns}");
        CHECK(resolvers[0].addresses.size() == 2);

        facts.fitness[2].fit = true;
        resolvers = plan(config, facts).links[0].resolvers;
        REQUIRE(resolvers.size() == 2);
        CHECK(resolvers[1].priority == 2);
        CHECK(resolvers[1].params.alpn == std::vector<std::string>{"h2"});
        CHECK(resolvers[1].params.port == 8443);

        facts.fitness[0].fit = false;
        resolvers = plan(config, facts).links[0].resolvers;
        REQUIRE(resolvers.size() == 2);
        CHECK(resolvers[0].params.alpn == std::vector<std::string>{"h2"});
    }

    TEST_CASE("a service that is new changes nothing until it was looked at") {
        Config config = home();
        Facts facts = good_facts();
        facts.told = plan(config, facts).links;
        config.resolver->doh = {{443, "/dns-query{?dns}"}};
        facts.fitness.push_back({"br-lan", false, "not looked at yet", false, 443});
        CHECK(plan(config, facts).links == facts.told);
        facts.fitness[1].looked = true;
        CHECK(plan(config, facts).links[0].resolvers == facts.told[0].resolvers);
        facts.fitness[1].fit = true;
        CHECK(plan(config, facts).links[0].resolvers[0].params.alpn.size() == 2);
    }

    TEST_CASE("of IPv6 addresses: unique local, else global, else link-local") {
        const auto v6_of = [](std::vector<net::LinkAddress> addresses) {
            const auto chosen = announced_addresses(br_lan(std::move(addresses)));
            return chosen.empty() ? std::string() : porchlight::to_text(chosen.back());
        };
        CHECK(v6_of({address("fe80::1"), address("2001:db8::1"), address("fd00::1")}) == "fd00::1");
        CHECK(v6_of({address("fe80::1"), address("2001:db8::1")}) == "2001:db8::1");
        CHECK(v6_of({address("fe80::1")}) == "fe80::1");
        CHECK(v6_of({}) == "");
    }

    TEST_CASE("an address of the same kind that is added takes hosts away from none") {
        const auto chosen = [](std::vector<net::LinkAddress> addresses) {
            return porchlight::to_text(announced_addresses(br_lan(std::move(addresses))).front());
        };
        // The kernel lists the newest IPv6 address first, and IPv4's last.
        CHECK(chosen({address("fd00::1")}) == "fd00::1");
        CHECK(chosen({address("fd99::1"), address("fd00::1")}) == "fd00::1");
        CHECK(chosen({address("fd00::1"), address("fd99::1")}) == "fd00::1");
        CHECK(chosen({address("192.168.9.1"), address("192.168.1.1")}) == "192.168.9.1");
    }

    TEST_CASE("addresses that hosts can't count on are passed over") {
        net::LinkAddress tentative = address("fd00::1");
        tentative.tentative = true;
        net::LinkAddress deprecated = address("fd00::2");
        deprecated.deprecated = true;
        net::LinkAddress temporary = address("fd00::3");
        temporary.temporary = true;
        const auto chosen =
            announced_addresses(br_lan({tentative, deprecated, temporary, address("fe80::9")}));
        CHECK(chosen == std::vector<IpAddress>{*parse_address("fe80::9")});
    }

    TEST_CASE("an unfit router is not announced, and the plan says why") {
        Facts facts = good_facts();
        facts.fitness = {{"br-lan", false, "the certificate expired"}};
        CHECK(plan(home(), facts).links[0] == LinkPlan{"br-lan", {}, "the certificate expired"});
        facts.fitness.clear();
        CHECK(plan(home(), facts).links[0].resolvers.empty());
    }

    TEST_CASE("a router that knows nobody to ask is not announced") {
        Facts facts = good_facts();
        facts.upstream_known = false;
        CHECK(plan(home(), facts).links[0] == LinkPlan{"br-lan", {}, std::string(upstream_none)});
    }

    TEST_CASE("whom a WAN offers is asked where the router is announced and nobody is named") {
        Config config = home();
        CHECK(!asks_upstream(config));
        config.wan = {{"eth0"}};
        CHECK((learns_upstream(config) && asks_upstream(config)));
        config.upstream.emplace_back();
        CHECK((!learns_upstream(config) && asks_upstream(config)));
        CHECK(!asks_upstream(relay_home()));
    }

    TEST_CASE("hosts keep what they know until this router was looked at") {
        Facts facts = good_facts();
        const dns::EncryptedResolver former = plan(home(), facts).links[0].resolvers[0];
        facts.told = {{"br-lan", {former}, {}}};
        facts.told[0].resolvers[0].adn = *dns::parse_name("former.example");
        facts.fitness = {{"br-lan", false, "not looked at yet", false}};
        CHECK(names_of(plan(home(), facts).links[0].resolvers) == "former.example.");
        facts.fitness[0].looked = true;
        CHECK(plan(home(), facts).links[0].resolvers.empty());
        facts.fitness[0].looked = false;
        facts.told[0].link = "br-guest";
        CHECK(plan(home(), facts).links[0].why == "not looked at yet");
        facts.fitness[0] = {"br-lan", true, "", false};
        CHECK(names_of(plan(home(), facts).links[0].resolvers) == "cpe1.example.net.");
    }

    TEST_CASE("a link that is missing, down or bare hears nothing") {
        Facts facts = good_facts();
        facts.links[0].up = false;
        CHECK(plan(home(), facts).links[0].why == "br-lan is down");
        facts.links[0].up = true;
        facts.links[0].addresses.clear();
        CHECK(plan(home(), facts).links[0].why == "br-lan has no address that hosts could use");
        facts.links.clear();
        CHECK(plan(home(), facts).links[0].why == "there is no interface br-lan");
    }

    TEST_CASE("the resolvers of the configuration are announced by priority, with no gate") {
        Config config;
        config.lan = {{"br-lan"}};
        config.announce.resolvers = {named("b.example", 2), named("a.example", 1)};
        const Plan planned = plan(config, {});
        CHECK(planned.mode == Mode::static_);
        CHECK(!planned.router);
        CHECK(names_of(planned.links[0].resolvers) == "a.example. b.example.");
    }

    TEST_CASE("each link may have a plan of its own") {
        Config config = home();
        LanConfig guests{"br-guest", Mode::automatic, {named("guests.example", {})}};
        config.lan = {{"br-lan"}, guests, {"br-iot", Mode::off, {}}};
        const Plan planned = plan(config, good_facts());
        CHECK(planned.router);
        REQUIRE(planned.links.size() == 3);
        CHECK(names_of(planned.links[0].resolvers) == "cpe1.example.net.");
        CHECK(names_of(planned.links[1].resolvers) == "guests.example.");
        CHECK(planned.links[2].why == "announcing is off");
    }

    TEST_CASE("a group hears its own resolvers, unless everything is off") {
        Config config = home();
        config.announce.groups = {{"kids", {}, {named("family.example", {})}}, {"none", {}, {}}};
        Plan planned = plan(config, good_facts());
        REQUIRE(planned.groups.size() == 2);
        CHECK(planned.groups[0].tag == "kids");
        CHECK(names_of(planned.groups[0].resolvers) == "family.example.");
        CHECK(planned.groups[1].resolvers.empty());
        CHECK(planned.groups[0].links == std::vector<std::string>{"br-lan"});
        config.lan.push_back({"br-iot", Mode::off, {}});
        config.lan.push_back({"br-guest", Mode::automatic, {named("guests.example", {})}});
        planned = plan(config, good_facts());
        CHECK(planned.groups[0].links == std::vector<std::string>{"br-lan", "br-guest"});
        config.lan.pop_back();
        config.mode = Mode::off;
        CHECK(plan(config, good_facts()).groups.empty());
    }

    TEST_CASE("relay: hosts are told what the WAN offers, and until when") {
        const Clock::time_point end{std::chrono::hours(1)};
        Facts facts = good_facts();
        facts.offers = {offer("dns.isp.test", end), offer("other.isp.test", {})};
        const Plan planned = plan(relay_home(), facts);
        CHECK(planned.mode == Mode::relay);
        CHECK(!planned.router);
        REQUIRE(planned.links.size() == 1);
        CHECK(names_of(planned.links[0].resolvers) == "dns.isp.test. other.isp.test.");
        CHECK(planned.links[0].ends == std::vector{end, Clock::time_point::max()});
        CHECK(planned.links[0].why.empty());
        facts.offers = {offer("dns.isp.test", {})};
        CHECK(plan(relay_home(), facts).links[0].ends.empty());  // none of them ends
    }

    TEST_CASE("relay: without an offer, or without one that is any good, nothing is told") {
        Facts facts = good_facts();
        CHECK(plan(relay_home(), facts).links[0].why == "the ISP offers no encrypted resolver");
        CHECK(plan(relay_home(), facts).mode == Mode::relay);
        facts.offers = {offer("dns.isp.test", {})};
        facts.offers[0].resolver.addresses = {*parse_address("fe80::53")};
        CHECK(plan(relay_home(), facts).links[0].why ==
              "the ISP offers dns.isp.test., which hosts can't be told of: fe80::53 is link-local: "
              "hosts are on another link");
    }

    TEST_CASE("a link may relay what the others don't hear") {
        Config config = home();
        config.wan = {{"eth0"}};
        config.lan.push_back({"br-guest", Mode::relay, {}});
        Facts facts = good_facts();
        facts.offers = {offer("dns.isp.test", {})};
        const Plan planned = plan(config, facts);
        CHECK(planned.mode == Mode::forwarder);
        CHECK(relays(config));
        CHECK(names_of(planned.links[0].resolvers) == "cpe1.example.net.");
        CHECK(names_of(planned.links[1].resolvers) == "dns.isp.test.");
    }

    TEST_CASE("an offer that is refreshed tells hosts nothing new") {
        Facts facts = good_facts();
        facts.offers = {offer("dns.isp.test", Clock::time_point{std::chrono::hours(1)})};
        const Plan before = plan(relay_home(), facts);
        facts.offers[0].until = Clock::time_point{std::chrono::hours(2)};
        const Plan after = plan(relay_home(), facts);
        CHECK(before != after);
        CHECK(same_but_for_ends(before, after));
        CHECK(same_but_for_ends(after, before));
        facts.offers[0].resolver.priority = 2;
        CHECK(!same_but_for_ends(after, plan(relay_home(), facts)));
        CHECK(!same_but_for_ends(after, Plan()));
    }

    TEST_CASE("automatic relays where there is a WAN and nothing else is configured") {
        CHECK(resolve_mode(relay_home()) == Mode::relay);
        Config config = relay_home();
        config.announce.resolvers = {named("a.example", {})};
        CHECK(resolve_mode(config) == Mode::static_);
        config.resolver = home().resolver;
        CHECK(resolve_mode(config) == Mode::forwarder);
        CHECK(!relays(config));
        CHECK(relays(relay_home()));
        config = relay_home();
        config.lan.clear();
        CHECK(relays(config));
        CHECK(!announces(config));
    }

    TEST_CASE("what is configured decides what automatic means, and off is off") {
        CHECK(resolve_mode(home()) == Mode::forwarder);
        CHECK(resolve_mode(Config()) == Mode::off);
        Config config = home();
        config.mode = Mode::off;
        CHECK(plan(config, good_facts()).links[0].resolvers.empty());
        CHECK(plan(config, good_facts()).links[0].why == "announcing is off");
    }
}

}  // namespace
}  // namespace porchlight::agent
