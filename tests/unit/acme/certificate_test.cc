#include "acme/certificate.h"

#include <doctest/doctest.h>
#include <openssl/x509v3.h>

#include "acme/csr.h"
#include "net/tls_stream_server.h"

using namespace std::chrono_literals;

namespace porchlight::acme {
namespace {

using net::PemPair;
using net::TestAuthority;

const std::vector<dns::Name> home{*dns::parse_name("cpe1.example.net")};

WallTime present() {
    return SystemTime().wall();
}

Buffer joined(const Buffer& a, const Buffer& b) {
    Buffer both = a;
    both.insert(both.end(), b.begin(), b.end());
    return both;
}

std::string why(const PemPair& pair, WallTime wall = present(), bool dates_count = true) {
    return check_pair(pair.chain, pair.key, home, wall, dates_count).value_or("");
}

TEST_SUITE("acme/certificate") {
    TEST_CASE("a chain is complete where it ends with a root, or with what a known root signed") {
        const TestAuthority authority, another;
        const PemPair pair = authority.leaf({"cpe1.example.net"});
        const Buffer known = joined(another.root_pem(), authority.root_pem());
        CHECK(!missing_issuer(pair.chain, known));
        CHECK(!missing_issuer(joined(pair.chain, authority.root_pem()), {}));
        CHECK(!missing_issuer(authority.root_pem(), {}));  // a leaf that is its own root
        CHECK(missing_issuer(pair.chain, {}) == "CN=A root for tests");
        // The name is the same, the key is not.
        CHECK(missing_issuer(pair.chain, another.root_pem()) == "CN=A root for tests");
        CHECK(!missing_issuer({}, known));
    }

    TEST_CASE("a chain does not prove its own root, which somebody has to know") {
        const TestAuthority authority, another;
        const PemPair pair = authority.leaf({"cpe1.example.net"});
        const Buffer whole = joined(pair.chain, authority.root_pem());
        CHECK(unknown_root(whole, another.root_pem()) == "CN=A root for tests");
        CHECK(unknown_root(whole, {}) == "CN=A root for tests");
        CHECK(!unknown_root(whole, joined(another.root_pem(), authority.root_pem())));
        CHECK(!unknown_root(pair.chain, {}));  // its issuer is missing, which is another remark
        CHECK(!unknown_root({}, {}));
    }

    TEST_CASE("names, dates, issuer and serial are read") {
        const TestAuthority authority;
        const PemPair pair = authority.leaf({"cpe1.example.net", "*.example.org"}, -1h, 24h);
        const auto chain = parse_chain(joined(pair.chain, authority.root_pem()));
        REQUIRE(chain);
        REQUIRE(chain->size() == 2);
        const Certificate& leaf = chain->front();
        CHECK(leaf.names == std::vector<std::string>{"cpe1.example.net", "*.example.org"});
        CHECK(leaf.not_after - leaf.not_before == 25h);
        CHECK(std::chrono::abs(leaf.not_after - present() - 24h) < 60s);
        CHECK(leaf.subject.empty());
        CHECK(leaf.issuer == "CN=A root for tests");
        CHECK(!leaf.serial.empty());
    }

    TEST_CASE("addresses are read beside names") {
        const TestAuthority authority;
        const PemPair pair = authority.leaf({"IP:192.168.1.1", "cpe1.example.net", "IP:fd00::1"});
        const auto chain = parse_chain(pair.chain);
        REQUIRE(chain);
        CHECK(chain->front().names == std::vector<std::string>{"cpe1.example.net"});
        CHECK(chain->front().addresses ==
              std::vector<IpAddress>{*parse_address("192.168.1.1"), *parse_address("fd00::1")});
    }

    TEST_CASE("a pair that fits is fit, with and without its root") {
        const TestAuthority authority;
        PemPair pair = authority.leaf({"cpe1.example.net"});
        CHECK(why(pair).empty());
        pair.chain = joined(pair.chain, authority.root_pem());
        CHECK(why(pair).empty());
        CHECK(why(authority.leaf({"*.example.net"})).empty());
    }

    TEST_CASE("what doesn't fit says why") {
        const TestAuthority authority;
        const TestAuthority stranger;
        const PemPair good = authority.leaf({"cpe1.example.net"});
        CHECK(why({good.chain, authority.leaf({"cpe1.example.net"}).key}) ==
              "the key is not the certificate's");
        CHECK(why({good.chain, {}}) == "the key is not the certificate's");
        CHECK(why(authority.leaf({"cpe2.example.net"})) == "not for cpe1.example.net");
        CHECK(why(authority.leaf({}, -1h, 1h, "cpe1.example.net")) == "not for cpe1.example.net");
        CHECK(why(authority.leaf({"cpe1.example.net"}, -48h, -24h)).starts_with("expired on "));
        CHECK(why(authority.leaf({"cpe1.example.net"}, 24h, 48h)).starts_with("not valid before "));
        CHECK(why(authority.leaf({"cpe1.example.net"}, 60s, 48h)).empty());  // clocks differ a bit
        CHECK(why({joined(good.chain, stranger.root_pem()), good.key}) ==
              "certificate 1 of the chain is not signed by the next; that of its issuer, "
              "CN=A root for tests, is not there");
        CHECK(why({{}, good.key}) == "no certificate");
    }

    TEST_CASE("while the clock isn't trusted, dates count as holding") {
        const TestAuthority authority;
        const PemPair old = authority.leaf({"cpe1.example.net"}, -48h, -24h);
        CHECK(why(old, present(), false).empty());
        CHECK(why(authority.leaf({"cpe1.example.net"}), WallTime{}, false).empty());
    }

    TEST_CASE("a chain that is cut, broken or endless is refused") {
        const TestAuthority authority;
        const Buffer leaf = authority.leaf({"cpe1.example.net"}).chain;
        const Buffer cut(leaf.begin(), leaf.begin() + 200);
        CHECK(!parse_chain(cut));
        CHECK(!parse_chain(joined(leaf, cut)));
        Buffer damaged = leaf;
        damaged[100] = '!';
        CHECK(!parse_chain(damaged));
        Buffer many;
        for (int i = 0; i < 11; ++i) many = joined(many, leaf);
        CHECK(!parse_chain(many));
        CHECK(!parse_chain(Buffer(chain_octets_max + 1, 'x')));
    }

    TEST_CASE("a request asks for the names and nothing else") {
        const auto key = Key::generate();
        REQUIRE(key);
        const auto der = make_csr(*key, {home[0], *dns::parse_name("cpe2.example.net")});
        REQUIRE(der);
        const std::uint8_t* at = der->data();
        X509_REQ* request = d2i_X509_REQ(nullptr, &at, static_cast<long>(der->size()));
        REQUIRE(request != nullptr);
        CHECK(X509_REQ_verify(request, key->get()) == 1);
        CHECK(X509_NAME_entry_count(X509_REQ_get_subject_name(request)) == 0);
        STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
        CHECK(sk_X509_EXTENSION_num(extensions) == 1);
        auto* sans = static_cast<GENERAL_NAMES*>(
            X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
        REQUIRE(sk_GENERAL_NAME_num(sans) == 2);
        const ASN1_STRING* first = sk_GENERAL_NAME_value(sans, 0)->d.dNSName;
        CHECK(text_of({ASN1_STRING_get0_data(first),
                       static_cast<std::size_t>(ASN1_STRING_length(first))}) == "cpe1.example.net");
        GENERAL_NAMES_free(sans);
        sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
        X509_REQ_free(request);
    }
}

}  // namespace
}  // namespace porchlight::acme
