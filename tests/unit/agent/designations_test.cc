#include "agent/designations.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

net::Link link(const char* name, std::vector<const char*> addresses) {
    net::Link made;
    made.name = name;
    made.up = made.carrier = true;
    for (const char* address : addresses) {
        net::LinkAddress one;
        one.address = *parse_address(address);
        made.addresses.push_back(one);
    }
    return made;
}

Config home() {
    Config config;
    config.lan = {{"br-lan"}, {"br-guest"}};
    config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
    return config;
}

const std::vector<net::Link> links{link("br-lan", {"192.168.1.1", "fd01::1", "fe80::1"}),
                                   link("br-guest", {"192.168.2.1"})};

Facts facts() {
    Facts known{links, {}, {}};
    for (const char* name : {"br-lan", "br-guest"}) known.fitness.push_back({name, true, ""});
    return known;
}

/// "br-lan: 1 cpe1.example.net. dot; 192.168.1.1 fd01::1"
std::string to_text(const forwarder::Designations& told) {
    std::string text = told.link + ":";
    for (const dns::Svcb& record : told.records) {
        text += " " + std::to_string(record.priority) + " " + dns::to_text(record.target);
        for (const std::string& alpn : record.params.alpn) text += " " + alpn;
        if (record.params.port) text += " " + std::to_string(*record.params.port);
    }
    text += ";";
    for (const IpAddress& address : told.addresses) text += " " + porchlight::to_text(address);
    return text;
}

std::vector<std::string> told(const Config& config, const Facts& known) {
    std::vector<std::string> texts;
    for (const auto& one : designations(config, plan(config, known), known.links))
        texts.push_back(to_text(one));
    return texts;
}

using Texts = std::vector<std::string>;
const std::string lan = "br-lan: 1 cpe1.example.net. dot; 192.168.1.1 fd01::1";
const std::string guest = "br-guest: 1 cpe1.example.net. dot; 192.168.2.1";
const std::string address_free = ": 1 cpe1.example.net. dot;";

TEST_SUITE("agent/designations") {
    TEST_CASE("each link hears of its own addresses, who asks the companion of none that differ") {
        CHECK(told(home(), facts()) == Texts{lan, guest, address_free});
    }

    TEST_CASE("a home of one link hears of its addresses through the companion too") {
        Config config = home();
        config.lan.pop_back();
        CHECK(told(config, facts()) == Texts{lan, lan.substr(lan.find(':'))});
    }

    TEST_CASE("another port is told") {
        Config config = home();
        config.lan.pop_back();
        config.resolver->dot.port = 8853;
        Facts known = facts();
        for (Fitness& one : known.fitness) one.port = 8853;
        CHECK(told(config, known).front() ==
              "br-lan: 1 cpe1.example.net. dot 8853; 192.168.1.1 fd01::1");
    }

    TEST_CASE("so is DNS over HTTPS, with its path, where it is served") {
        Config config = home();
        config.lan.pop_back();
        config.resolver->doh = {{}, {8443, "/late{?dns}"}};
        config.resolver->doh[0].path = "/dns-query{?dns}";
        Facts known = facts();
        known.fitness.push_back({"br-lan", true, "", true, 443});
        known.fitness.push_back({"br-lan", true, "", true, 8443});
        CHECK(told(config, known).front() ==
              "br-lan: 1 cpe1.example.net. dot 2 cpe1.example.net. h2 3 cpe1.example.net. h2 8443; "
              "192.168.1.1 fd01::1");
        const auto all = designations(config, plan(config, known), known.links);
        CHECK(!all[0].records[0].params.dohpath);
        CHECK(all[0].records[1].params.dohpath == "/dns-query{?dns}");
        CHECK(all[0].records[2].params.dohpath == "/late{?dns}");
    }

    TEST_CASE("RFC 9460 section 2.4.1: a transport that is preferred has the smaller priorities") {
        Config config = home();
        config.lan.pop_back();
        config.announce.ddr_prefers = Transport::doh;
        config.resolver->doh = {{}, {8443, "/late{?dns}"}};
        config.resolver->doh[0].path = "/dns-query{?dns}";
        config.resolver->doh[0].versions = {"h2", "http/1.1"};
        Facts known = facts();
        known.fitness.push_back({"br-lan", true, "", true, 443});
        known.fitness.push_back({"br-lan", true, "", true, 8443});
        CHECK(told(config, known).front() ==
              "br-lan: 1 cpe1.example.net. h2 http/1.1 2 cpe1.example.net. h2 8443 "
              "3 cpe1.example.net. dot; 192.168.1.1 fd01::1");
    }

    TEST_CASE("who asks the companion hears what all links have, numbered without a gap") {
        Config config = home();
        config.announce.ddr_prefers = Transport::doh;
        config.resolver->doh = {{}, {8443, "/late{?dns}"}};
        config.resolver->doh[0].path = "/dns-query{?dns}";
        Facts known = facts();
        known.fitness.push_back({"br-lan", true, "", true, 443});
        for (const char* name : {"br-lan", "br-guest"})
            known.fitness.push_back({name, true, "", true, 8443});
        known.fitness.push_back({"br-guest", false, "held", true, 443});
        CHECK(told(config, known) ==
              Texts{"br-lan: 1 cpe1.example.net. h2 2 cpe1.example.net. h2 8443 "
                    "3 cpe1.example.net. dot; 192.168.1.1 fd01::1",
                    "br-guest: 1 cpe1.example.net. h2 8443 2 cpe1.example.net. dot; 192.168.2.1",
                    ": 1 cpe1.example.net. h2 8443 2 cpe1.example.net. dot;"});
    }

    TEST_CASE("a link-local address is not told, for DNS can't say whose it is") {
        Config config = home();
        config.lan.pop_back();
        Facts known = facts();
        known.links = {link("br-lan", {"fe80::1"})};
        CHECK(told(config, known).front() == "br-lan: 1 cpe1.example.net. dot;");
    }

    TEST_CASE(
        "what is not fit is told to nobody, and where one link lacks it not by the companion") {
        Facts known = facts();
        known.fitness[1].fit = false;
        CHECK(told(home(), known) == Texts{lan});
        known.fitness[0].fit = false;
        CHECK(told(home(), known).empty());
    }

    TEST_CASE("a link that can have no hosts does not count") {
        Facts known = facts();
        known.links[1].up = false;
        const Texts alone{lan, lan.substr(lan.find(':'))};
        CHECK(told(home(), known) == alone);
        known.links[1] = link("br-guest", {});
        CHECK(told(home(), known) == alone);
        known.links.pop_back();
        CHECK(told(home(), known) == alone);
    }

    TEST_CASE("a link that is told of other resolvers or of none keeps the companion silent") {
        Config config = home();
        config.lan[1].mode = Mode::off;
        CHECK(told(config, facts()) == Texts{lan});
        config.lan[1].mode = Mode::static_;
        AnnouncedResolver elsewhere;
        elsewhere.adn = *dns::parse_name("dns.example.org");
        elsewhere.addresses = {*parse_address("192.0.2.53")};
        elsewhere.dot = 853;
        config.lan[1].resolvers = {elsewhere};
        CHECK(told(config, facts()) == Texts{lan});
    }

    TEST_CASE("resolvers elsewhere are never named, be it under this router's name") {
        Config config = home();
        config.mode = Mode::static_;
        AnnouncedResolver elsewhere;
        elsewhere.adn = config.resolver->adn;
        elsewhere.addresses = {*parse_address("192.0.2.53")};
        elsewhere.dot = 853;
        config.announce.resolvers = {elsewhere};
        CHECK(told(config, facts()).empty());
    }

    TEST_CASE("what hosts were told of before a change of mode is not designated") {
        Facts known = facts();
        known.fitness = {{"br-lan", false, "", false}, {"br-guest", false, "", false}};
        dns::EncryptedResolver before;
        before.adn = *dns::parse_name("dns.example.org");
        before.addresses = {*parse_address("192.0.2.53")};
        before.params.alpn = {"dot"};
        known.told = {{"br-lan", {before}, ""}};
        CHECK(told(home(), known).empty());
    }

    TEST_CASE("switched off, or without a resolver of our own, there are none") {
        Config config = home();
        const Plan planned = plan(config, facts());
        config.announce.ddr = false;
        CHECK(designations(config, planned, links).empty());
        config.announce.ddr = true;
        config.resolver.reset();
        CHECK(designations(config, planned, links).empty());
    }
}

}  // namespace
}  // namespace porchlight::agent
