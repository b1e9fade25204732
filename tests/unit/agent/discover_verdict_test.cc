#include "agent/discover_verdict.h"

#include <doctest/doctest.h>

#include "agent/discover_report.h"

namespace porchlight::agent::discover {
namespace {

ResolverRecord resolver(const char* adn, const char* address, std::uint16_t priority = 1) {
    ResolverRecord one;
    one.priority = priority;
    one.adn = *dns::parse_name(adn);
    one.addresses = {*parse_address(address)};
    one.params.alpn = {"dot"};
    return one;
}

Told told(Carrier carrier, const char* from, std::vector<ResolverRecord> resolvers) {
    Told one{carrier, {*parse_address(from), {}}, {}, {}, {}};
    one.offers.push_back({dns::Format::rfc9463, {1, 2}, std::nullopt, {}});
    for (ResolverRecord& each : resolvers) one.offers[0].resolvers.push_back({std::move(each), {}});
    return one;
}

/// The first resolver's only trial.
Trial& tried(Told& one, Outcome outcome, const char* why = "", Proof proof = Proof::name) {
    Trial trial;
    trial.alpn = "dot";
    trial.to = {one.offers[0].resolvers[0].told.addresses[0], 853};
    trial.proof = proof;
    trial.outcome = outcome;
    trial.why = why;
    trial.connected_after = std::chrono::milliseconds(12);
    trial.answered_after = std::chrono::milliseconds(3);
    trial.tls_version = "TLSv1.3";
    auto& trials = one.offers[0].resolvers[0].trials;
    trials.push_back(std::move(trial));
    return trials.back();
}

TEST_SUITE("agent/discover_verdict") {
    TEST_CASE("nobody answers, nothing is offered, nothing can be read") {
        CHECK(judge("eth0", {}).sentence == "Nobody on eth0 answered: no DHCP server, no router.");
        Told silent = told(Carrier::dhcpv4, "192.0.2.1", {});
        silent.offers.clear();
        const std::vector none{silent};
        CHECK(judge("eth0", none).sentence ==
              "The network of eth0 offers no encrypted resolver: hosts ask in clear text.");
        Told broken = told(Carrier::dhcpv4, "192.0.2.1", {});
        broken.offers[0].malformed = "DHCPv4 option 162: ends too early";
        const std::vector unreadable{broken};
        CHECK(judge("eth0", unreadable).sentence ==
              "The network of eth0 offers what no host can read: hosts ask in clear text.");
        CHECK(!judge("eth0", unreadable).usable);
    }

    TEST_CASE("the first that works is named, DHCP's before an RA's, announced before asked for") {
        Told by_ra = told(Carrier::ra, "fe80::1", {resolver("ra.test", "2001:db8::1")});
        Told by_dhcp = told(Carrier::dhcpv4, "192.0.2.1", {resolver("dns.test", "192.0.2.2")});
        Told by_ddr = told(Carrier::svcb, "192.0.2.1", {resolver("ddr.test", "192.0.2.1")});
        tried(by_ra, Outcome::works);
        tried(by_dhcp, Outcome::works);
        tried(by_ddr, Outcome::works, "", Proof::address);
        const std::vector all{by_ddr, by_ra, by_dhcp};
        CHECK(judge("eth0", all).usable);
        CHECK(judge("eth0", all).sentence ==
              "Hosts on eth0 use dns.test (192.0.2.2) over TLS: it answers, and its certificate is "
              "good.");
        const std::vector asked{by_ddr};
        CHECK(judge("eth0", asked).usable);
        CHECK(judge("eth0", asked).sentence ==
              "Hosts on eth0 that ask 192.0.2.1 for an encrypted resolver use ddr.test (192.0.2.1) "
              "over TLS: it answers, and its certificate proves that address.");
        by_ddr.of_name = *dns::parse_name("alone.test");
        CHECK(
            judge("eth0", std::vector{by_ddr}).sentence ==
            "Hosts on eth0 that look up alone.test use ddr.test (192.0.2.1) over TLS: it answers, "
            "and its certificate is good.");
    }

    TEST_CASE("what proves nothing is no resolver to count on") {
        Told by_ddr = told(Carrier::svcb, "192.168.1.1", {resolver("ddr.test", "192.168.1.1")});
        tried(by_ddr, Outcome::works, "its certificate has expired", Proof::nothing);
        const Verdict verdict = judge("eth0", std::vector{by_ddr});
        CHECK(!verdict.usable);
        CHECK(verdict.sentence ==
              "Hosts on eth0 that ask 192.168.1.1 for an encrypted resolver may use ddr.test "
              "(192.168.1.1) over TLS: it answers, but nothing proves who it is.");
    }

    TEST_CASE("what does not work is named with the reason") {
        Told one = told(Carrier::dhcpv4, "192.0.2.1", {resolver("dns.test", "192.0.2.2")});
        const auto sentence = [&] { return judge("eth0", std::vector{one}).sentence; };
        const std::string fails =
            "The network of eth0 offers dns.test (192.0.2.2), but it does not "
            "work (";
        tried(one, Outcome::not_tried, "this program does not speak QUIC");
        CHECK(sentence() ==
              fails + "this program does not speak QUIC): hosts fall back to clear text.");
        tried(one, Outcome::refused, "its certificate has expired");
        CHECK(sentence() == fails + "its certificate has expired): hosts fall back to clear text.");
        one.offers[0].resolvers[0].told.why_not_usable = "withdrawn";
        CHECK(sentence() == fails + "withdrawn): hosts fall back to clear text.");
        CHECK(!judge("eth0", std::vector{one}).usable);
    }

    TEST_CASE("of one that hung up nobody says that it does not work") {
        Told one = told(Carrier::dhcpv4, "192.0.2.1", {resolver("dns.test", "192.0.2.2")});
        tried(one, Outcome::unreachable, "nothing listens there");
        tried(one, Outcome::hung_up, "it hangs up");
        const std::vector both{told(Carrier::ra, "fe80::1", {resolver("a.test", "192.0.2.3")}),
                               one};
        CHECK(judge("eth0", both).sentence ==
              "The network of eth0 offers dns.test (192.0.2.2), which could not be tried (it hangs "
              "up): try again in a minute.");
        CHECK(!judge("eth0", both).usable);
        tried(one, Outcome::works);
        CHECK(judge("eth0", std::vector{one}).usable);
    }

    TEST_CASE("carriers that name different resolvers contradict each other, silence does not") {
        const auto a = resolver("a.test", "192.0.2.2");
        const auto b = resolver("b.test", "2001:db8::2");
        Told silent = told(Carrier::ra, "fe80::2", {});
        const std::vector same{told(Carrier::dhcpv4, "192.0.2.1", {a}),
                               told(Carrier::dhcpv6, "fe80::1", {a}), silent};
        CHECK(judge("eth0", same).contradictions.empty());
        const std::vector differ{told(Carrier::dhcpv4, "192.0.2.1", {a}),
                                 told(Carrier::ra, "fe80::1", {b})};
        CHECK(judge("eth0", differ).contradictions ==
              std::vector<std::string>{"DHCPv4 from 192.0.2.1 names a.test",
                                       "RA from fe80::1 names b.test"});
    }

    TEST_CASE("protocols in words, each once; what strangers write is escaped") {
        ResolverRecord one = resolver("a.test", "192.0.2.2");
        one.params.alpn = {"dot", "h2", "http/1.1", "doq", "h3", "\x1b[2J"};
        CHECK(protocols_text(one) == "TLS, HTTPS, QUIC, HTTP/3 and \\x1b[2J");
        CHECK(resolver_text(ResolverRecord()) == "a resolver without a name");
    }

    TEST_CASE("a report is printable ASCII, as text and as JSON") {
        ResolverRecord one = resolver("a.test", "192.0.2.2");
        one.params.dohpath = "/\x1b]0;{?dns}\xc3\xa4";
        Report report{"eth0", {}, {}, Upgrade{false, "no", {"a.test"}}};
        Told all = told(Carrier::dhcpv4, "192.0.2.1", {one});
        for (const Outcome outcome : {Outcome::works, Outcome::refused, Outcome::unreachable,
                                      Outcome::silent, Outcome::no_answer, Outcome::not_tried})
            tried(all, outcome, "\x1b");
        tried(all, Outcome::works, "why", Proof::nothing);
        Told designated = all;
        designated.carrier = Carrier::svcb;
        designated.of_name = *dns::parse_name("a.test");
        report.heard.told = {all, designated};
        report.heard.asked = {{Carrier::dhcpv4, "DHCPINFORM", ""}, {Carrier::ra, "RS", "no\nIPv6"}};
        report.heard.notes = {"a \x07 bell"};
        report.verdict = judge("eth0", report.heard.told);
        for (const std::string& text : {to_text(report), to_json(report)})
            for (char c : text) CHECK((c == '\n' || (c >= ' ' && c <= '~')));
    }
}

}  // namespace
}  // namespace porchlight::agent::discover
