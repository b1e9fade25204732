#include "agent/discover_trial.h"

#include <doctest/doctest.h>

#include "net/tls_stream_server.h"

namespace porchlight::agent::discover {
namespace {

ResolverRecord resolver() {
    ResolverRecord one;
    one.adn = *dns::parse_name("dns.test");
    one.addresses = {*parse_address("192.0.2.1"), *parse_address("fe80::1")};
    one.params.alpn = {"dot", "h2", "doq"};
    one.params.dohpath = "/q{?dns}";
    return one;
}

const Told announced{Carrier::ra, {*parse_address("fe80::1"), {}}, {}, {}, {}};

/// A server that was told of by that router.
Told at(const net::TestServer& server, const char* adn, std::uint8_t router) {
    Told told{Carrier::dhcpv4, {Ipv4{{192, 0, 2, router}}, {}}, {}, {}, {}};
    ResolverRecord one;
    one.adn = *dns::parse_name(adn);
    one.addresses = {server.endpoint().address};
    one.params.alpn = {"dot"};
    one.params.port = server.endpoint().port;
    told.offers.push_back({dns::Format::rfc9463, {}, std::nullopt, {{one, {}}}});
    return told;
}

const Trial& only_trial(const Told& told) {
    REQUIRE(told.offers[0].resolvers[0].trials.size() == 1);
    return told.offers[0].resolvers[0].trials[0];
}

TEST_SUITE("agent/discover_trial") {
    TEST_CASE("each protocol at each address, at its own port or the one that is told") {
        auto trials = trials_of(announced, resolver(), 7);
        REQUIRE(trials.size() == 6);
        CHECK(trials[0].to == Endpoint{*parse_address("192.0.2.1"), 853});
        CHECK(trials[1].to == Endpoint{*parse_address("fe80::1"), 853, 7});
        CHECK(trials[2].to == Endpoint{*parse_address("192.0.2.1"), 443});
        CHECK(trials[0].proof == Proof::name);
        CHECK(trials[0].why.empty());
        CHECK(trials[4].why == "this program does not speak QUIC");
        ResolverRecord elsewhere = resolver();
        elsewhere.params.port = 8853;
        CHECK(trials_of(announced, elsewhere, 7)[2].to.port == 8853);
    }

    TEST_CASE("DoH is tried where a path is told, or a template of the draft has one") {
        ResolverRecord one = resolver();
        one.params.alpn = {"h2"};
        one.params.dohpath.reset();
        CHECK(trials_of(announced, one, 0)[0].why == "no path to ask at is told");
        one.templates = {"https://dns.test/q{?dns}"};
        CHECK(trials_of(announced, one, 0)[0].why.empty());
    }

    TEST_CASE("nothing is tried of what hosts can't use") {
        ResolverRecord one = resolver();
        one.why_not_usable = "withdrawn";
        CHECK(trials_of(announced, one, 0).empty());
        one = resolver();
        one.adn.reset();
        CHECK(trials_of(announced, one, 0).empty());
    }

    TEST_CASE("RFC 9462: an address is to be proved; nothing is enough at that private address") {
        Told designated{Carrier::svcb, {*parse_address("192.168.1.1"), {}}, {}, {}, {}};
        ResolverRecord one = resolver();
        one.addresses = {*parse_address("192.168.1.1"), *parse_address("192.168.1.2")};
        const auto trials = trials_of(designated, one, 0);
        CHECK(trials[0].proof == Proof::address);
        CHECK(may_be_opportunistic(designated, trials[0]));
        CHECK(!may_be_opportunistic(designated, trials[1]));
        Told by_name = designated;
        by_name.of_name = *dns::parse_name("dns.test");
        CHECK(trials_of(by_name, one, 0)[0].proof == Proof::name);
        for (const auto& [address, may] :
             {std::pair{"8.8.8.8", false}, std::pair{"10.0.0.1", true},
              std::pair{"172.16.0.1", true}, std::pair{"172.32.0.1", false},
              std::pair{"169.254.0.1", true}, std::pair{"100.64.0.1", false},
              std::pair{"2001:db8::1", false}, std::pair{"fd00::1", true},
              std::pair{"fe80::1", true}}) {
            CAPTURE(address);
            designated.from.address = *parse_address(address);
            one.addresses = {*parse_address(address)};
            CHECK(may_be_opportunistic(designated, trials_of(designated, one, 0)[0]) == may);
        }
    }

    TEST_CASE("one contact is made once, whoever told of it, and all of them hear how it went") {
        net::TestAuthority authority;
        net::TestServer server(
            authority.leaf({"dns.test"}),
            [](SSL* ssl) {
                net::serve_dns(ssl, [](Bytes query) { return net::address_response(query, {}); });
            },
            {TLS1_3_VERSION, "dot"});
        std::vector<Told> all{at(server, "dns.test", 1), at(server, "dns.test", 2),
                              at(server, "other.test", 3)};
        const Buffer roots = authority.root_pem();
        REQUIRE(try_all(all, {.roots_pem = roots}));
        CHECK(server.accepted() == 2);
        CHECK(only_trial(all[0]).outcome == Outcome::works);
        CHECK(only_trial(all[1]).outcome == Outcome::works);
        CHECK(only_trial(all[1]).answered_after == only_trial(all[0]).answered_after);
        CHECK(only_trial(all[2]).outcome == Outcome::refused);
        CHECK(only_trial(all[2]).why == "its certificate is for another name");
    }

    TEST_CASE("reasons are in plain words; what has none stays as it is") {
        CHECK(plain_words({Errc::refused, "certificate not accepted: certificate has expired"}) ==
              "its certificate has expired");
        CHECK(plain_words({Errc::unavailable, "no connection: Connection refused"}) ==
              "nothing listens there");
        CHECK(plain_words({Errc::unavailable, "TLS: the server closed during the handshake"})
                  .starts_with("it hangs up before it shows who it is"));
        CHECK(plain_words({Errc::timeout, "no connection after 2s"}) == "no connection after 2s");
    }
}

}  // namespace
}  // namespace porchlight::agent::discover
