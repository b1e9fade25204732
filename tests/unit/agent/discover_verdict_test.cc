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
    Told one{carrier, {*parse_address(from), {}}, {}, {}};
    one.offers.push_back({dns::Format::rfc9463, {1, 2}, std::nullopt, std::move(resolvers)});
    return one;
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

    TEST_CASE("the preferred of those that hosts can use is named, DHCP's before an RA's") {
        ResolverRecord useless = resolver("zero.test", "192.0.2.9", 0);
        useless.why_not_usable = "priority 0 has no meaning for a resolver";
        const std::vector all{told(Carrier::ra, "fe80::1", {resolver("ra.test", "2001:db8::1")}),
                              told(Carrier::dhcpv4, "192.0.2.1",
                                   {useless, resolver("late.test", "192.0.2.3", 2),
                                    resolver("dns.test", "192.0.2.2")})};
        const Verdict verdict = judge("eth0", all);
        CHECK(verdict.usable);
        CHECK(verdict.sentence == "Hosts on eth0 are offered dns.test (192.0.2.2) over TLS.");
        const std::vector only_useless{told(Carrier::dhcpv4, "192.0.2.1", {useless})};
        CHECK(!judge("eth0", only_useless).usable);
        CHECK(judge("eth0", only_useless).sentence ==
              "Hosts on eth0 are offered zero.test (192.0.2.9), which no host can use (priority 0 "
              "has no meaning for a resolver): they ask in clear text.");
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
        Report report{"eth0", {}, {}};
        report.heard.told = {told(Carrier::dhcpv4, "192.0.2.1", {one})};
        report.heard.asked = {{Carrier::dhcpv4, "DHCPINFORM", ""}, {Carrier::ra, "RS", "no\nIPv6"}};
        report.heard.notes = {"a \x07 bell"};
        report.verdict = judge("eth0", report.heard.told);
        for (const std::string& text : {to_text(report), to_json(report)})
            for (char c : text) CHECK((c == '\n' || (c >= ' ' && c <= '~')));
    }
}

}  // namespace
}  // namespace porchlight::agent::discover
