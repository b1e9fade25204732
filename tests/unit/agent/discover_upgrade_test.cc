#include "agent/discover_upgrade.h"

#include <doctest/doctest.h>

namespace porchlight::agent::discover {
namespace {

Preconfigured preconfigured(const char* text) {
    return *parse_preconfigured(text);
}

bool is_covered(const char* by, const char* name) {
    return covers(preconfigured(by), *dns::parse_name(name));
}

Told announced(const char* adn, Outcome outcome, const char* why = "") {
    Candidate candidate;
    candidate.told.adn = *dns::parse_name(adn);
    candidate.told.addresses = {*parse_address("192.168.77.1")};
    Trial trial;
    trial.alpn = "dot";
    trial.outcome = outcome;
    trial.why = why;
    candidate.trials = {trial};
    Told told{Carrier::dhcpv4, {*parse_address("192.168.77.1"), {}}, {}, {}, {}};
    told.offers.push_back({dns::Format::rfc9463, {}, std::nullopt, {candidate}});
    return told;
}

TEST_SUITE("agent/discover_upgrade") {
    TEST_CASE("a name covers itself, a star every name below and not the domain itself") {
        CHECK(is_covered("dns.example.net", "DNS.example.net"));
        CHECK(!is_covered("dns.example.net", "a.dns.example.net"));
        CHECK(is_covered("*.example.net", "cpe1-internal.example.net"));
        CHECK(is_covered("*.example.net", "cpe1.home.example.net"));
        CHECK(!is_covered("*.example.net", "example.net"));
        CHECK(!is_covered("*.example.net", "rs.example.org"));
        CHECK(!is_covered("*.example.net", "badexample.net"));
        CHECK(!is_covered("*.example.net", "example.net.example.org"));
    }

    TEST_CASE("what is no name, and stars elsewhere, are refused") {
        for (const char* text : {"", "*", "*.", "*.*.net", "a*.example.net", "a.*.net", "192.0.2.1",
                                 "*.192.0.2.1", "exa mple.net"}) {
            CAPTURE(text);
            CHECK(!parse_preconfigured(text));
        }
    }

    TEST_CASE("draft 7.1.3: the forwarder within the domain, and the rogue server outside") {
        const auto any = preconfigured("*.example.net");
        const std::vector both{announced("rs.example.org", Outcome::works),
                               announced("cpe1-internal.example.net", Outcome::works)};
        const Upgrade upgrade = judge_upgrade(any, both);
        CHECK(upgrade.upgrades);
        CHECK(upgrade.sentence ==
              "A host with *.example.net preconfigured upgrades to cpe1-internal.example.net "
              "(192.168.77.1) over TLS: its certificate proves that name.");
        CHECK(upgrade.refused == std::vector<std::string>{"rs.example.org"});

        const std::vector rogue{announced("rs.example.org", Outcome::works)};
        CHECK(!judge_upgrade(any, rogue).upgrades);
        CHECK(judge_upgrade(any, rogue).sentence ==
              "A host with *.example.net preconfigured does not upgrade: rs.example.org is not one "
              "of those.");
    }

    TEST_CASE("a name that fits and proves nothing is no upgrade, and nor is silence") {
        const auto any = preconfigured("*.example.net");
        const std::vector claimed{
            announced("cpe1.example.net", Outcome::refused, "its certificate is for another name")};
        CHECK(!judge_upgrade(any, claimed).upgrades);
        CHECK(judge_upgrade(any, claimed).sentence ==
              "A host with *.example.net preconfigured does not upgrade: cpe1.example.net "
              "(192.168.77.1) is one of those, but does not work (its certificate is for another "
              "name).");
        CHECK(
            judge_upgrade(any, {}).sentence ==
            "A host with *.example.net preconfigured does not upgrade: no resolver is announced by "
            "a name.");
        Told designated = announced("cpe1.example.net", Outcome::works);
        designated.carrier = Carrier::svcb;
        CHECK(!judge_upgrade(any, std::vector{designated}).upgrades);
    }
}

}  // namespace
}  // namespace porchlight::agent::discover
