#include "agent/ddr_status.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "agent/option_codecs.h"
#include "hex.h"

namespace porchlight::agent {
namespace {

net::Link link(const char* name, const char* address) {
    net::Link made;
    made.name = name;
    made.up = made.carrier = true;
    net::LinkAddress one;
    one.address = *parse_address(address);
    made.addresses = {one};
    return made;
}

const std::vector<net::Link> links{link("br-lan", "192.168.1.1"), link("br-guest", "192.168.2.1")};

Config home() {
    Config config;
    config.lan = {{"br-lan"}, {"br-guest"}};
    config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
    return config;
}

Status described(const Config& config, bool fit = true, std::vector<const char*> certified = {}) {
    Facts facts{links, {}, {}};
    for (const char* name : {"br-lan", "br-guest"})
        facts.fitness.push_back({name, fit, fit ? "" : "the certificate is not fit"});
    Status status;
    status.plan = plan(config, facts);
    for (const char* address : certified)
        status.certificate.addresses.push_back(*parse_address(address));
    describe_ddr(config, links, status);
    return status;
}

TEST_SUITE("agent/ddr_status") {
    TEST_CASE("a row for each link says what is on the wire, as options decode reads it") {
        const Status status = described(home());
        REQUIRE(status.carriers.size() == 2);
        const CarrierStatus& row = status.carriers[0];
        CHECK(row.link == "br-lan");
        CHECK(row.carrier == "ddr");
        CHECK(row.announced);
        REQUIRE(row.options.size() == 1);
        REQUIRE(row.options[0].starts_with("64 "));
        const std::vector<Buffer> octets{hex(row.options[0].substr(3))};
        const auto json = decode_options(Carrier::svcb, octets);
        REQUIRE(json);
        const auto decoded = nlohmann::json::parse(*json);
        CHECK(decoded[0]["adn"] == "cpe1.example.net.");
        CHECK(decoded[0]["usable"] == true);
    }

    TEST_CASE(
        "RFC 9462 section 4.2: verified where the certificate holds all addresses of each link") {
        const Status none = described(home());
        CHECK(none.ddr.announced);
        CHECK(!none.ddr.verified_possible);
        CHECK(none.ddr.why ==
              "the certificate lacks 192.168.1.1 of br-lan, 192.168.2.1 of br-guest");
        CHECK(none.carriers[0].notes.size() == 1);

        const Status one = described(home(), true, {"192.168.1.1"});
        CHECK(!one.ddr.verified_possible);
        CHECK(one.ddr.why == "the certificate lacks 192.168.2.1 of br-guest");
        CHECK(one.carriers[0].notes.empty());
        CHECK(one.carriers[1].notes.size() == 1);

        const Status both = described(home(), true, {"192.168.2.1", "192.168.1.1"});
        CHECK(both.ddr.verified_possible);
        CHECK(both.ddr.why.empty());
    }

    TEST_CASE("one address of two is not enough, for hosts ask by either") {
        std::vector<net::Link> both = links;
        net::LinkAddress more;
        more.address = *parse_address("fd00::1");
        both[0].addresses.push_back(more);
        Status status;
        status.plan = described(home()).plan;
        for (const char* held : {"192.168.1.1", "192.168.2.1"})
            status.certificate.addresses.push_back(*parse_address(held));
        describe_ddr(home(), both, status);
        CHECK(!status.ddr.verified_possible);
        CHECK(status.ddr.why == "the certificate lacks fd00::1 of br-lan");
        CHECK(status.carriers[0].notes ==
              std::vector<std::string>{
                  "hosts can't verify it by fd00::1, which the certificate lacks; they encrypt "
                  "without proof, or not at all"});
        status.carriers.clear();
        status.certificate.addresses.push_back(more.address);
        describe_ddr(home(), both, status);
        CHECK(status.ddr.verified_possible);
    }

    TEST_CASE("what is withdrawn is said with its reason") {
        const Status status = described(home(), false, {"192.168.1.1", "192.168.2.1"});
        CHECK(!status.carriers[0].announced);
        CHECK(status.carriers[0].options.empty());
        CHECK(status.carriers[0].why == "the certificate is not fit");
        CHECK(!status.ddr.announced);
        CHECK(!status.ddr.verified_possible);
        CHECK(status.ddr.why == "the certificate is not fit");
    }

    TEST_CASE("a link whose neighbours must not hear what its hosts do") {
        Config config = home();
        config.lan[1].mode = Mode::off;
        const Status status = described(config);
        REQUIRE(status.carriers.size() == 1);
        CHECK(!status.carriers[0].announced);
        CHECK(status.ddr.why ==
              "who asks dnsmasq may be a host of another link, and not all of them are told of "
              "this router");
    }

    TEST_CASE("a forwarder that took no settings announces nothing") {
        Status status;
        status.plan = described(home()).plan;
        status.forwarder_trouble = "upstreams: no trust anchor";
        describe_ddr(home(), links, status);
        CHECK(!status.ddr.announced);
        CHECK(status.carriers[0].why ==
              "the forwarder refuses its settings: upstreams: no trust anchor");
    }

    TEST_CASE("where dnsmasq does not ask us nobody hears of it") {
        Status status;
        status.plan = described(home()).plan;
        status.processes.dnsmasq_trouble = "dnsmasq is not running";
        describe_ddr(home(), links, status);
        CHECK(status.ddr.why == "dnsmasq is not running");
    }

    TEST_CASE("where no link is told of this router, or it is switched off, there is no row") {
        Config config = home();
        config.mode = Mode::off;
        CHECK(described(config).carriers.empty());
        CHECK(described(config).ddr.why == "no link's hosts are told of this router");
        config = home();
        config.announce.ddr = false;
        CHECK(described(config).carriers.empty());
        CHECK(described(config).ddr.why == "announce.ddr is false");
    }
}

}  // namespace
}  // namespace porchlight::agent
