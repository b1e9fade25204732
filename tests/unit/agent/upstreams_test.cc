#include "agent/upstreams.h"

#include <doctest/doctest.h>

#include <algorithm>

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
    /// One round of trials, in which these answer.
    void answer(std::initializer_list<const char*> who) {
        for (const auto& one : upstreams.to_try()) {
            const bool answers = std::any_of(who.begin(), who.end(), [&](const std::string& name) {
                return name == dns::to_host(one.adn) + (gives_no_proof(one) ? " unproved" : "");
            });
            upstreams.note(one, answers ? "" : "says nothing");
        }
        upstreams.end_round();
    }
    static bool gives_no_proof(const forwarder::UpstreamSettings& one) {
        return one.designated && std::holds_alternative<net::Unauthenticated>(*one.designated);
    }
    static std::string names(const std::vector<forwarder::UpstreamSettings>& list) {
        std::string all;
        for (const auto& one : list)
            all += (all.empty() ? "" : ", ") + dns::to_host(one.adn) +
                   (gives_no_proof(one) ? " unproved" : "");
        return all;
    }
    /// "good.test; the WAN offers them; known; to try bad.test"
    std::string text() const {
        const std::string open = names(upstreams.to_try());
        return names(upstreams.list()) + "; " + std::string(to_text(upstreams.origin())) +
               (upstreams.known() ? "; known" : "") + (open.empty() ? "" : "; to try " + open);
    }

    Config config;
    std::vector<net::Link> links;
    Upstreams upstreams;
};

TEST_SUITE("agent/upstreams") {
    TEST_CASE_FIXTURE(Fixture, "who is offered is asked by hosts once he has answered us") {
        learn({});
        CHECK(text() == "; the WAN offers nobody");
        learn({good, bad});
        CHECK(text() == "; the WAN offers nobody; to try good.test, bad.test");
        answer({});
        CHECK(upstreams.tried()[0].error == "says nothing");
        CHECK(upstreams.kept().empty());
        answer({"good.test"});
        CHECK(text() == "good.test; the WAN offers them; known; to try bad.test");
        CHECK(upstreams.tried()[0].error == "");
        CHECK(!upstreams.kept().empty());
        answer({"bad.test"});
        CHECK(text() == "good.test, bad.test; the WAN offers them; known");
    }

    TEST_CASE_FIXTURE(Fixture, "who answered stays until another answers") {
        learn({good});
        answer({"good.test"});
        const Buffer kept = upstreams.kept();
        learn({bad});
        CHECK(text() ==
              "good.test; they are the last that the WAN offered; known; to try bad.test");
        answer({});
        CHECK(upstreams.kept() == kept);
        learn({});
        CHECK(text() == "good.test; they are the last that the WAN offered; known");
        // The control: one that answers is the one that stays.
        learn({bad});
        answer({"bad.test"});
        CHECK(text() == "bad.test; the WAN offers them; known");
        learn({});
        CHECK(text() == "bad.test; they are the last that the WAN offered; known");
    }

    TEST_CASE_FIXTURE(Fixture, "the next process goes on with who answered, and with nobody else") {
        learn({good, bad});
        answer({"good.test"});
        Fixture next;
        next.upstreams.adopt(upstreams.kept());
        next.learn({});
        CHECK(next.text() == "good.test; they are the last that the WAN offered; known");
        next.learn({good, bad});
        CHECK(next.text() == "good.test; the WAN offers them; known; to try bad.test");
        Fixture other;
        other.upstreams.adopt(Buffer{0});
        other.learn({});
        CHECK(other.text() == "; the WAN offers nobody");
    }

    TEST_CASE_FIXTURE(Fixture, "addresses in another order are no news, resolvers are") {
        Offer both = offer("a.test", "192.0.2.1");
        both.resolver.addresses.push_back(*parse_address("192.0.2.2"));
        Offer second = bad;
        second.resolver.priority = 2;
        learn({both, second});
        answer({"a.test", "bad.test"});
        const auto before = upstreams.list();
        std::swap(both.resolver.addresses[0], both.resolver.addresses[1]);
        learn({both, second});
        CHECK(upstreams.list() == before);
        both.resolver.priority = 3;
        learn({both, second});
        CHECK(text() == "bad.test, a.test; the WAN offers them; known");
    }

    TEST_CASE_FIXTURE(Fixture, "an offer goes before what is designated") {
        learn({}, {proved});
        CHECK(text() == "; the WAN offers nobody; to try proved.test");
        answer({"proved.test"});
        CHECK(text() == "proved.test; the WAN's plain resolvers designate them; known");
        learn({good}, {proved});
        answer({"good.test"});
        CHECK(text() == "good.test; the WAN offers them; known");
    }

    TEST_CASE_FIXTURE(Fixture, "who gives no proof never takes the place of who did") {
        learn({good});
        answer({"good.test"});
        learn({}, {private_one});
        CHECK(text() ==
              "good.test; they are the last that the WAN offered; known; to try private.test");
        // The control: where nobody gave one, he may.
        Fixture other;
        other.learn({}, {private_one});
        CHECK(other.text() ==
              "; the WAN offers nobody; to try private.test, private.test unproved");
    }

    TEST_CASE_FIXTURE(Fixture, "who can't prove what he should is not counted with who need not") {
        learn({}, {private_one});
        answer({"private.test unproved"});
        CHECK(text() ==
              "private.test unproved; the WAN's plain resolvers designate them; known; "
              "to try private.test");
        CHECK(upstreams.kept().empty());
        learn({}, {});
        CHECK(text() == "private.test unproved; they are the last that the WAN offered; known");
        learn({}, {private_one});
        CHECK(upstreams.list().size() == 1);
        CHECK(upstreams.known());
    }

    TEST_CASE_FIXTURE(Fixture, "on another network nobody is believed without a proof") {
        learn({}, {private_one});
        answer({"private.test unproved"});
        upstreams.change_network();
        CHECK(text() == "; the WAN offers nobody; to try private.test, private.test unproved");
    }

    TEST_CASE_FIXTURE(Fixture,
                      "who is out of reach on another network counts no more after a while") {
        learn({good});
        answer({"good.test"});
        learn({});
        CHECK(upstreams.to_try().empty());
        upstreams.change_network();
        for (unsigned round = 0; round + 1 < Upstreams::doubted_rounds_max; ++round) answer({});
        CHECK(text() ==
              "good.test; they are the last that the WAN offered; known; to try good.test");
        Fixture other = *this;
        answer({});
        CHECK(text() == "; the WAN offers nobody");
        // The control: an answer ends the doubt.
        other.answer({"good.test"});
        CHECK(other.text() == "good.test; they are the last that the WAN offered; known");
    }

    TEST_CASE_FIXTURE(Fixture, "what a reload makes the home's own is asked no more") {
        learn({good});
        answer({"good.test"});
        links[0].addresses[0].address = *parse_address("192.0.2.254");
        learn({good});
        CHECK(text() == "; the WAN offers nobody");
        links[0].addresses[0].address = *parse_address("192.168.1.1");
        learn({good});
        answer({"good.test"});
        config.resolver->adn = *dns::parse_name("good.test");
        learn({});
        CHECK(text() == "; the WAN offers nobody");
    }

    TEST_CASE_FIXTURE(Fixture, "who is named by the configuration is on no trial") {
        learn({bad});
        config.upstream = {{*dns::parse_name("named.test"), {*parse_endpoint("192.0.2.7:853", 0)}}};
        learn({bad});
        CHECK(text() == "named.test; the configuration names them; known");
        config.upstream.clear();
        learn({bad});
        CHECK(text() == "; the WAN offers nobody; to try bad.test");
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
        CHECK(upstreams.to_try().size() == Upstreams::offered_max);
        CHECK(upstreams.to_try()[0].addresses.size() == Upstreams::addresses_max);
    }
}

}  // namespace
}  // namespace porchlight::agent
