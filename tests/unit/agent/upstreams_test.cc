#include "agent/upstreams.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

namespace porchlight::agent {
namespace {

Offer offer(const char* adn, const char* address) {
    Offer made{"eth0", OfferSource::dhcpv4, {}, {}};
    made.resolver.priority = 1;
    made.resolver.adn = *dns::parse_name(adn);
    made.resolver.addresses = {*parse_address(address)};
    made.resolver.params.alpn = {"dot"};
    return made;
}

Designators::Designated designated(const char* by, const char* adn, const char* address) {
    dns::Designation one;
    one.svcb.priority = 1;
    one.svcb.target = *dns::parse_name(adn);
    one.svcb.params.alpn = {"dot"};
    one.addresses = {*parse_address(address)};
    return {*parse_address(by), {one}};
}

const Offer good = offer("good.test", "192.0.2.1");
const Offer bad = offer("bad.test", "192.0.2.66");
const Designators::Designated proved = designated("192.0.2.9", "proved.test", "192.0.2.10");
const Designators::Designated private_one = designated("10.0.0.1", "private.test", "10.0.0.1");

struct Fixture {
    Fixture() {
        config.lan = {{"br-lan"}};
        config.wan = {{"eth0"}};
        config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
        net::Link lan;
        lan.name = "br-lan";
        net::LinkAddress own;
        own.address = *parse_address("192.168.1.1");
        own.prefix = 24;
        lan.addresses = {own};
        links = {lan};
    }
    void learn(std::vector<Offer> offers, std::vector<Designators::Designated> by = {}) {
        upstreams.learn(config, links, offers, by);
    }
    /// The forwarder says of each that is asked how many answers it gave.
    bool answer(std::map<std::string, std::uint64_t> answers) {
        std::vector<forwarder::UpstreamState> states;
        for (const auto& one : upstreams.list())
            for (const Endpoint& at : one.addresses)
                states.push_back({one.adn, at, true, "", 5, 0, answers[dns::to_host(one.adn)]});
        return upstreams.judge(states);
    }
    /// "good.test, bad.test; because the WAN offers them; on trial; known"
    std::string text() const {
        std::string all;
        for (const auto& one : upstreams.list())
            all += (all.empty() ? "" : ", ") + dns::to_host(one.adn);
        all += "; " + std::string(to_text(upstreams.origin()));
        if (upstreams.on_trial()) all += "; on trial";
        return all + (upstreams.known() ? "; known" : "");
    }

    Config config;
    std::vector<net::Link> links;
    Upstreams upstreams;
};

TEST_SUITE("agent/upstreams") {
    TEST_CASE_FIXTURE(Fixture, "who is offered is known once he has answered") {
        learn({});
        CHECK(text() == "; the WAN offers nobody");
        learn({good});
        CHECK(text() == "good.test; the WAN offers them; on trial");
        CHECK(upstreams.kept().empty());
        CHECK(!answer({}));
        CHECK(!answer({{"other.test", 1}}));
        CHECK(text() == "good.test; the WAN offers them; on trial");
        CHECK(answer({{"good.test", 1}}));
        CHECK(text() == "good.test; the WAN offers them; known");
        CHECK(!answer({{"good.test", 2}}));
        CHECK(!upstreams.kept().empty());
    }

    TEST_CASE_FIXTURE(Fixture, "who answered stands behind whoever is on trial, and comes back") {
        learn({good});
        REQUIRE(answer({{"good.test", 1}}));
        const Buffer kept = upstreams.kept();
        learn({bad});
        CHECK(text() == "bad.test, good.test; the WAN offers them; on trial; known");
        CHECK(!answer({{"good.test", 9}}));
        CHECK(upstreams.kept() == kept);
        learn({});
        CHECK(text() == "good.test; they are the last that the WAN offered; known");
        // The control: one that answers is the one that stays.
        learn({bad});
        CHECK(answer({{"bad.test", 1}}));
        learn({});
        CHECK(text() == "bad.test; they are the last that the WAN offered; known");
    }

    TEST_CASE_FIXTURE(Fixture, "the next process goes on with who answered, and with nobody else") {
        learn({good});
        REQUIRE(answer({{"good.test", 1}}));
        Fixture next;
        next.upstreams.adopt(upstreams.kept());
        next.learn({});
        CHECK(next.text() == "good.test; they are the last that the WAN offered; known");
        Fixture other;
        other.upstreams.adopt(Buffer{0});
        other.learn({});
        CHECK(other.text() == "; the WAN offers nobody");
    }

    TEST_CASE_FIXTURE(Fixture, "the same in another order is no news") {
        Offer both = offer("a.test", "192.0.2.1");
        both.resolver.addresses.push_back(*parse_address("192.0.2.2"));
        learn({both, good});
        REQUIRE(answer({{"a.test", 1}}));
        const auto before = upstreams.list();
        std::swap(both.resolver.addresses[0], both.resolver.addresses[1]);
        learn({good, both});
        CHECK(upstreams.list() == before);
        CHECK(!upstreams.on_trial());
    }

    TEST_CASE_FIXTURE(Fixture, "an offer goes before what is designated") {
        learn({}, {proved});
        CHECK(text() == "proved.test; the WAN's plain resolvers designate them; on trial");
        learn({good}, {proved});
        CHECK(text() == "good.test; the WAN offers them; on trial");
    }

    TEST_CASE_FIXTURE(Fixture, "who gives no proof never takes the place of who did") {
        learn({}, {private_one});
        CHECK(text() ==
              "private.test, private.test; the WAN's plain resolvers designate them; "
              "on trial");
        REQUIRE(answer({{"private.test", 1}}));
        CHECK(upstreams.known());
        upstreams.forget_unproved();
        CHECK(upstreams.list().size() == 1 + 1);  // still designated, on trial again
        CHECK(upstreams.on_trial());

        Fixture other;
        other.learn({good});
        REQUIRE(other.answer({{"good.test", 1}}));
        other.learn({}, {private_one});
        CHECK(other.upstreams.list().size() == 2);
        CHECK(other.upstreams.list()[0].designated ==
              net::ServerIdentity(*parse_address("10.0.0.1")));
        CHECK(dns::to_host(other.upstreams.list()[1].adn) == "good.test");
    }

    TEST_CASE_FIXTURE(Fixture, "without a proof nobody is kept for the next process") {
        learn({}, {private_one});
        REQUIRE(answer({{"private.test", 1}}));
        const auto kept = forwarder::parse_upstreams(upstreams.kept());
        REQUIRE(kept);
        REQUIRE(kept->size() == 1);
        CHECK(kept->front().designated == net::ServerIdentity(*parse_address("10.0.0.1")));
    }

    TEST_CASE_FIXTURE(Fixture, "what a reload makes the home's own is asked no more") {
        learn({good});
        REQUIRE(answer({{"good.test", 1}}));
        links[0].addresses[0].address = *parse_address("192.0.2.254");
        learn({good});
        CHECK(text() == "; the WAN offers nobody");
        links[0].addresses[0].address = *parse_address("192.168.1.1");
        learn({good});
        REQUIRE(answer({{"good.test", 1}}));
        config.resolver->adn = *dns::parse_name("good.test");
        learn({});
        CHECK(text() == "; the WAN offers nobody");
    }

    TEST_CASE_FIXTURE(Fixture, "who is named by the configuration is on no trial") {
        learn({bad});
        config.upstream = {{*dns::parse_name("named.test"), {*parse_endpoint("192.0.2.7:853", 0)}}};
        learn({bad});
        CHECK(text() == "named.test; the configuration names them; known");
        CHECK(!answer({{"named.test", 1}}));
        // That it answers proves nothing of who was offered.
        config.upstream.clear();
        learn({bad});
        CHECK(text() == "bad.test; the WAN offers them; on trial");
    }

    TEST_CASE_FIXTURE(Fixture, "strangers set no sizes") {
        std::vector<Designators::Designated> many;
        for (int i = 0; i < 40; ++i) {
            const std::string address = "198.51.100." + std::to_string(i + 1);
            many.push_back(designated(address.c_str(), "many.test", "192.0.2.10"));
        }
        for (int i = 0; i < 20; ++i)
            many[0].designations[0].addresses.push_back(
                *parse_address("192.0.2." + std::to_string(i + 100)));
        learn({}, many);
        CHECK(upstreams.list().size() == Upstreams::offered_max);
        CHECK(upstreams.list()[0].addresses.size() == Upstreams::addresses_max);
    }
}

}  // namespace
}  // namespace porchlight::agent
