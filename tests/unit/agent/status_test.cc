#include "agent/status.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace porchlight::agent {
namespace {

const WallTime now = *parse_wall_time("2026-11-21T00:00:00Z");

Status announced_status() {
    dns::EncryptedResolver resolver;
    resolver.adn = *dns::parse_name("cpe1.example.net");
    resolver.addresses = {*parse_address("192.168.1.1")};
    resolver.params.alpn = {"dot"};
    Status status;
    status.plan = {Mode::forwarder, true, {{"br-lan", {resolver}, ""}}, {}};
    status.chosen = {
        {"dhcpv4", "dnsmasq", true}, {"dhcpv6", "odhcpd", true}, {"ra", "full", false}};
    for (const char* carrier : {"dhcpv4", "dhcpv6", "ra"}) {
        CarrierStatus one;
        one.link = "br-lan";
        one.carrier = carrier;
        one.announced = true;
        one.options = {"162 00"};
        status.carriers.push_back(one);
    }
    status.needs_certificate = true;
    status.certificate.fit = true;
    status.certificate.source = "acme";
    status.certificate.not_after = now + std::chrono::days(59);
    status.forwarder = forwarder::Status();
    status.forwarder->serving = true;
    status.forwarder->clients_today = 3;
    status.forwarder->since_last_dot_query = std::chrono::seconds(5);
    return status;
}

TEST_SUITE("agent/status") {
    TEST_CASE("the first line is a sentence that a person understands") {
        CHECK(summary(announced_status(), now) ==
              "Hosts on br-lan are told to use cpe1.example.net over TLS (by DHCPv4, DHCPv6, RA); "
              "3 hosts used it in the last day; its certificate is good for 59 days.");
    }

    TEST_CASE("who is blocked is told by what the forwarder calls him") {
        Status status = announced_status();
        CHECK(status_json(status, now).find("\"blocked\": []") != std::string::npos);
        CHECK(status_text(status_json(status, now))->find("Blocked") == std::string::npos);
        status.forwarder->bans = {{"0a1b2c3d", std::chrono::seconds(42)}};
        const auto text = status_text(status_json(status, now));
        REQUIRE(text);
        CHECK(text->find("0a1b2c3d for 42 s\n") != std::string::npos);
    }

    TEST_CASE("whose resolver it is, where the ISP offers it, and that it offers none") {
        Status status = announced_status();
        status.plan.mode = Mode::relay;
        status.plan.router = status.needs_certificate = false;
        Learned learned{"eth0", OfferSource::dhcpv4, "udhcpc bound", {}, {}, {}};
        learned.offers = {
            {"eth0", OfferSource::dhcpv4, status.plan.links[0].resolvers[0], std::nullopt}};
        status.offers.learned = {learned};
        CHECK(summary(status, now) ==
              "Hosts on br-lan are told to use the ISP's cpe1.example.net over TLS "
              "(by DHCPv4, DHCPv6, RA).");
        const auto json = nlohmann::json::parse(status_json(status, now));
        CHECK(json["mode"] == "relay");
        CHECK(json["offers"][0]["resolvers"][0]["adn"] == "cpe1.example.net.");
        CHECK(status_text(json.dump())->find("eth0 by dhcpv4 (udhcpc bound):\n") !=
              std::string::npos);
        status.plan.links[0] = {"br-lan", {}, std::string(offers_none)};
        for (CarrierStatus& carrier : status.carriers) carrier.announced = false;
        CHECK(summary(status, now) == "The ISP offers no encrypted resolver.");
    }

    TEST_CASE("what is withdrawn is said with its reason") {
        Status status = announced_status();
        status.plan.links[0] = {"br-lan", {}, "the certificate is not fit: expired"};
        for (CarrierStatus& carrier : status.carriers) {
            carrier.announced = false;
            carrier.why = status.plan.links[0].why;
        }
        CHECK(summary(status, now) ==
              "Hosts are told of no encrypted resolver: the certificate is "
              "not fit: expired.");
    }

    TEST_CASE("a day without a host's query is a warning, a quiet hour is not") {
        Status status = announced_status();
        status.forwarder->since_last_dot_query = std::chrono::hours(25);
        auto json = nlohmann::json::parse(status_json(status, now));
        REQUIRE(json["warnings"].size() == 1);
        CHECK(json["warnings"][0].get<std::string>().starts_with("no host has asked over TLS"));
        status.forwarder->since_last_dot_query = std::chrono::hours(1);
        json = nlohmann::json::parse(status_json(status, now));
        CHECK(json["warnings"].empty());
        status.forwarder->since_last_dot_query.reset();
        status.uptime = std::chrono::hours(30);
        json = nlohmann::json::parse(status_json(status, now));
        CHECK(json["warnings"].size() == 1);
    }

    TEST_CASE("nobody is expected to ask a router that tells of others alone") {
        Status status = announced_status();
        status.plan.mode = Mode::static_;
        status.plan.router = false;
        status.forwarder->since_last_dot_query = std::chrono::hours(25);
        CHECK(nlohmann::json::parse(status_json(status, now))["warnings"].empty());
    }

    TEST_CASE("what the forwarder refuses is a warning") {
        Status status = announced_status();
        status.forwarder_trouble = "no trust anchor can be read";
        const auto json = nlohmann::json::parse(status_json(status, now));
        REQUIRE(json["warnings"].size() == 1);
        CHECK(json["warnings"][0] ==
              "the forwarder refuses its settings: no trust anchor can be read");
    }

    TEST_CASE("links that are told alike are told of together, groups don't speak for links") {
        Status status = announced_status();
        status.plan.links.push_back(status.plan.links[0]);
        status.plan.links[1].link = "br-iot";
        status.plan.links.push_back(status.plan.links[0]);
        status.plan.links[2].link = "br-guest";
        status.plan.links[2].resolvers[0].adn = *dns::parse_name("guests.example");
        status.plan.links[2].resolvers[0].params.alpn = {"h2"};
        CHECK(summary(status, now)
                  .starts_with(
                      "Hosts on br-lan, br-iot are told to use cpe1.example.net, those on br-guest "
                      "guests.example over TLS, HTTPS (by DHCPv4, DHCPv6, RA); 3 hosts"));
        status.carriers.resize(1);
        status.carriers[0].is_group = true;
        CHECK(summary(status, now).starts_with("Hosts are told of no encrypted resolver"));
    }

    TEST_CASE("the JSON form holds the plan, and the text form is made of it") {
        Status status = announced_status();
        status.counters = {{"dot_queries", 7}};
        status.forwarder->upstreams = {{*dns::parse_name("dns.example"),
                                        Endpoint{*parse_address("192.0.2.53"), 853}, true, "", 5, 1,
                                        900}};
        const std::string text = status_json(status, now);
        const auto json = nlohmann::json::parse(text);
        CHECK(json["plan"][0]["resolvers"][0]["adn"] == "cpe1.example.net.");
        CHECK(json["announced"]["dhcpv4"] == true);
        CHECK(json["carriers"]["dhcpv6"] == nlohmann::json{{"by", "odhcpd"}, {"auto", true}});
        CHECK(json["carriers"]["ra"] == nlohmann::json{{"by", "full"}, {"auto", false}});
        CHECK(json["counters"]["dot_queries"] == 7);
        CHECK(json["upstreams"][0]["state"] == "reachable");
        auto printed = status_text(text);
        REQUIRE(printed);
        CHECK(printed->starts_with("Hosts on br-lan are told to use"));
        CHECK(printed->find("dot_queries 7") != std::string::npos);
        CHECK(printed->find("\nAnnounced (mode forwarder; dhcpv4 dnsmasq (auto); dhcpv6 odhcpd "
                            "(auto); ra full)\n") != std::string::npos);
    }

    TEST_CASE("what the WAN's routers tell is shown with what is left of it") {
        Status status = announced_status();
        CHECK(status_text(status_json(status, now))->find("Heard on the WAN") == std::string::npos);
        WanStatus wan;
        wan.interface = "eth0";
        wan.hears = true;
        wan.counters = {{"advertisements", 2}, {"malformed_options", 0}};
        WanStatus::Router router;
        router.address = "fe80::1";
        router.heard_ago = std::chrono::seconds(5);
        router.resolvers = {{status.plan.links[0].resolvers[0], std::chrono::seconds(1795)}};
        router.plain = {{"2001:db8::53", {}}};
        router.provisioning_domain = "pvd.example.org";
        wan.routers = {router};
        status.wan = {wan, WanStatus()};
        const auto json = nlohmann::json::parse(status_json(status, now));
        const auto& shown = json.at("wan_advertisements").at(0);
        CHECK(shown.at("link") == "eth0");
        CHECK(shown.at("counters").at("advertisements") == 2);
        CHECK(shown.at("routers").at(0).at("resolvers").at(0).at("seconds_left") == 1795);
        CHECK(shown.at("routers").at(0).at("plain").at(0).at("seconds_left").is_null());
        CHECK(shown.at("routers").at(0).at("provisioning_domain") == "pvd.example.org");
        const std::string text = *status_text(status_json(status, now));
        CHECK(text.find("  eth0: advertisements 2\n    fe80::1, 5 s ago\n"
                        "      cpe1.example.net. at 192.168.1.1 for 1795 s\n"
                        "      plain 2001:db8::53 for ever\n") != std::string::npos);
        CHECK(text.find("not listening") != std::string::npos);
    }

    TEST_CASE("a stranger's octets in an error can't reach the terminal") {
        Status status = announced_status();
        status.certificate.last_error = "\x1b[31mred";
        status.certificate.last_error_code = "acme.x";
        auto printed = status_text(status_json(status, now));
        REQUIRE(printed);
        CHECK(printed->find('\x1b') == std::string::npos);
        CHECK(printed->find("\\x1b[31mred") != std::string::npos);
    }

    TEST_CASE("an answer that is no status is said to be none") {
        for (const char* junk : {"", "{}", "[]", "{\"summary\":1}", "unknown request"}) {
            CAPTURE(junk);
            CHECK(!status_text(junk));
        }
    }
}

}  // namespace
}  // namespace porchlight::agent
