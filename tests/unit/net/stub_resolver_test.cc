#include "net/stub_resolver.h"

#include <doctest/doctest.h>

#include "dns/query.h"
#include "hex.h"
#include "tls_stream_server.h"

using namespace std::chrono_literals;

namespace porchlight::net {
namespace {

const IpAddress documentation = Ipv4{{192, 0, 2, 7}};

dns::Name name(std::string_view text) {
    return *dns::parse_name(text);
}

std::unique_ptr<TlsClient> client_of(const TestAuthority& authority) {
    const Buffer roots = authority.root_pem();
    return std::move(*TlsClient::create({roots, {}, nullptr, true}));
}

TestServer::Talk answering() {
    return [](SSL* ssl) {
        serve_dns(ssl, [](Bytes query) { return address_response(query, Ipv4{{192, 0, 2, 7}}); });
    };
}

TestServer::Talk failing() {
    return [](SSL* ssl) {
        serve_dns(ssl, [](Bytes query) {
            Buffer response = address_response(query, Ipv4{});
            response[3] = 0x82;  // SERVFAIL
            return response;
        });
    };
}

// "ca.example" A: an alias to "web.example", whose owner is written with a pointer.
const auto alias =
    hex("1234 8180 0001 0002 0000 0000"
        "02 6361 07 6578616d706c65 00  0001 0001"      // ca.example, A, IN
        "c00c 0005 0001 0000003c 0006 03 776562 c00f"  // CNAME web.example
        "c028 0001 0001 0000003c 0004 c0000207");      // web.example A 192.0.2.7

TEST_SUITE("net/stub_resolver") {
    TEST_CASE("an alias within the answer is followed") {
        const auto found = addresses_in(alias, {name("ca.example"), dns::type::a});
        REQUIRE(found);
        CHECK(*found == std::vector{documentation});
    }

    TEST_CASE("an address of an owner that no alias leads to is not taken") {
        const auto stranger =
            hex("1234 8180 0001 0001 0000 0000"
                "02 6361 07 6578616d706c65 00  0001 0001"
                "03 776562 c00f 0001 0001 0000003c 0004 c0000207");  // web.example A
        const auto found = addresses_in(stranger, {name("ca.example"), dns::type::a});
        REQUIRE(found);
        CHECK(found->empty());
    }

    TEST_CASE("aliases that lead in a circle end") {
        const auto circle =
            hex("1234 8180 0001 0002 0000 0000"
                "02 6361 07 6578616d706c65 00  0001 0001"
                "c00c 0005 0001 0000003c 0006 03 776562 c00f"
                "c028 0005 0001 0000003c 0002 c00c");
        const auto found = addresses_in(circle, {name("ca.example"), dns::type::a});
        REQUIRE(found);
        CHECK(found->empty());
    }

    TEST_CASE("every truncation and every answer to another question is refused") {
        for (std::size_t size = 0; size < alias.size(); ++size) {
            CAPTURE(size);
            CHECK(!addresses_in(Bytes(alias).first(size), {name("ca.example"), dns::type::a}));
        }
        CHECK(!addresses_in(alias, {name("other.example"), dns::type::a}));
        CHECK(!addresses_in(alias, {name("ca.example"), dns::type::aaaa}));
    }

    TEST_CASE("a name is looked up over TLS") {
        const TestAuthority authority;
        TestServer server(authority.leaf({"dns.example"}), answering());
        const auto tls = client_of(authority);
        SeededRandom random(1);
        StubResolver resolver(*tls, random, {{name("dns.example"), {server.endpoint()}}});
        const auto found = run(resolver.resolve(name("ca.example"), 5s));
        REQUIRE(found);
        CHECK(*found == std::vector{documentation});
    }

    TEST_CASE("a server that fails or can't be authenticated is passed over") {
        const TestAuthority authority;
        TestServer impostor(authority.leaf({"other.example"}), answering());
        TestServer broken(authority.leaf({"dns.example"}), failing());
        TestServer good(authority.leaf({"dns.example"}), answering());
        const auto tls = client_of(authority);
        SeededRandom random(1);
        StubResolver resolver(
            *tls, random,
            {{name("dns.example"), {impostor.endpoint(), broken.endpoint(), good.endpoint()}}});
        const auto found = run(resolver.resolve(name("ca.example"), 5s));
        REQUIRE(found);
        CHECK(*found == std::vector{documentation});
    }

    TEST_CASE("an impostor alone is refused, a dead address is unavailable, no server too") {
        const TestAuthority authority;
        const auto tls = client_of(authority);
        SeededRandom random(1);
        TestServer impostor(authority.leaf({"other.example"}), answering());
        StubResolver fooled(*tls, random, {{name("dns.example"), {impostor.endpoint()}}});
        const auto refused = run(fooled.resolve(name("ca.example"), 5s));
        REQUIRE(!refused);
        CHECK(refused.error().code == Errc::refused);

        StubResolver alone(*tls, random, {});
        const auto unavailable = run(alone.resolve(name("ca.example"), 5s));
        REQUIRE(!unavailable);
        CHECK(unavailable.error().code == Errc::unavailable);
    }
}

}  // namespace
}  // namespace porchlight::net
