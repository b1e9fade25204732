#include "net/staple.h"

#include <doctest/doctest.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "net/openssl.h"

using namespace std::chrono_literals;

namespace porchlight::net {
namespace {

const WallTime now = SystemTime().wall();

/// A certificate with its key, and the chain as it is served.
struct Party {
    EvpKeyPtr key{EVP_EC_gen("P-256")};
    X509Ptr certificate{X509_new()};

    Party(const char* name, const Party* issuer,
          const std::vector<std::pair<int, const char*>>& extensions) {
        static long serial = 5000;
        X509* const made = certificate.get();
        X509_set_version(made, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(made), -86400);
        X509_gmtime_adj(X509_getm_notAfter(made), 86400);
        X509_set_pubkey(made, key.get());
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
        const Party& signer = issuer != nullptr ? *issuer : *this;
        X509_set_issuer_name(made, X509_get_subject_name(signer.certificate.get()));
        for (const auto& [kind, value] : extensions) {
            X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
            X509_add_ext(made, extension, -1);
            X509_EXTENSION_free(extension);
        }
        X509_sign(made, signer.key.get(), EVP_sha256());
    }
    Buffer pem() const {
        const BioPtr out(BIO_new(BIO_s_mem()));
        PEM_write_bio_X509(out.get(), certificate.get());
        char* data = nullptr;
        const long size = BIO_get_mem_data(out.get(), &data);
        return Buffer(data, data + size);
    }
};

const Party root("root", nullptr, {{NID_basic_constraints, "critical,CA:TRUE"}});
const Party other_root("other root", nullptr, {{NID_basic_constraints, "critical,CA:TRUE"}});
const Party leaf("leaf", &root,
                 {{NID_info_access,
                   "caIssuers;URI:http://ca.example/root,"
                   "OCSP;URI:https://no.example/,OCSP;URI:http://ocsp.example/a"},
                  {NID_tlsfeature, "status_request"}});
const Party plain_leaf("plain leaf", &root, {});
const Party delegate("delegate", &root, {{NID_ext_key_usage, "OCSPSigning"}});
const Party no_delegate("no delegate", &root, {{NID_ext_key_usage, "serverAuth"}});

Buffer chain_of(const Party& one) {
    Buffer chain = one.pem();
    const Buffer issuer = root.pem();
    chain.insert(chain.end(), issuer.begin(), issuer.end());
    return chain;
}
const Buffer chain = chain_of(leaf);

struct Said {
    int status = V_OCSP_CERTSTATUS_GOOD;
    std::chrono::seconds from = -1h;
    std::optional<std::chrono::seconds> until = 24h;
    const Party* about = &leaf;
    const Party* by = &root;
    int response = OCSP_RESPONSE_STATUS_SUCCESSFUL;
    unsigned long flags = 0;
};

Buffer response(const Said& said) {
    const auto moment = [](std::chrono::seconds from_now) {
        return ASN1_GENERALIZEDTIME_set(nullptr, to_time_t(now + from_now));
    };
    OCSP_BASICRESP* basic = OCSP_BASICRESP_new();
    OCSP_CERTID* id =
        OCSP_cert_to_id(nullptr, said.about->certificate.get(), root.certificate.get());
    ASN1_GENERALIZEDTIME* from = moment(said.from);
    ASN1_GENERALIZEDTIME* until = said.until ? moment(*said.until) : nullptr;
    OCSP_basic_add1_status(basic, id, said.status, OCSP_REVOKED_STATUS_KEYCOMPROMISE, from, from,
                           until);
    OCSP_basic_sign(basic, said.by->certificate.get(), said.by->key.get(), EVP_sha256(), nullptr,
                    said.flags);
    OCSP_RESPONSE* whole = OCSP_response_create(
        said.response, said.response == OCSP_RESPONSE_STATUS_SUCCESSFUL ? basic : nullptr);
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_RESPONSE(whole, &der);
    Buffer octets(der, der + size);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(whole);
    ASN1_GENERALIZEDTIME_free(from);
    ASN1_GENERALIZEDTIME_free(until);
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    return octets;
}

std::string why(const Said& said, std::optional<WallTime> wall = now) {
    const auto span = check_staple(chain, response(said), wall);
    return span ? "" : span.error().message;
}

Errc code(const Said& said) {
    const auto span = check_staple(chain, response(said), now);
    REQUIRE(!span);
    return span.error().code;
}

TEST_SUITE("net/staple") {
    TEST_CASE("the responder is the first at an http URL; who demands a staple is heard") {
        CHECK(stapling_terms(chain) == StaplingTerms{"http://ocsp.example/a", true});
        CHECK(stapling_terms(chain_of(plain_leaf)) == StaplingTerms{});
        CHECK(stapling_terms({}) == StaplingTerms{});
    }

    TEST_CASE("a request is about the leaf, which takes its issuer") {
        const auto request = staple_request(chain);
        REQUIRE(request);
        const unsigned char* at = request->data();
        OCSP_REQUEST* parsed = d2i_OCSP_REQUEST(nullptr, &at, static_cast<long>(request->size()));
        REQUIRE(parsed != nullptr);
        CHECK(OCSP_request_onereq_count(parsed) == 1);
        ASN1_INTEGER* serial = nullptr;
        OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial,
                          OCSP_onereq_get0_id(OCSP_request_onereq_get0(parsed, 0)));
        CHECK(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf.certificate.get())) == 0);
        OCSP_REQUEST_free(parsed);
        CHECK(!staple_request(leaf.pem()));
        CHECK(!staple_request({}));
    }

    TEST_CASE("good is what the issuer says, or who may speak for it") {
        const auto span = check_staple(chain, response({}), now);
        REQUIRE(span);
        CHECK(*span == StapleSpan{now - 1h, now + 24h});
        CHECK(why({.flags = OCSP_NOCERTS}).empty());
        CHECK(why({.flags = OCSP_NOCERTS | OCSP_RESPID_KEY}).empty());
        CHECK(why({.by = &delegate}).empty());
        const std::string unsigned_ = "not signed by the certificate's issuer, nor for it";
        CHECK(why({.by = &no_delegate}) == unsigned_);
        CHECK(why({.by = &delegate, .flags = OCSP_NOCERTS}) == unsigned_);
        CHECK(why({.by = &other_root}) == unsigned_);
        CHECK(why({.by = &leaf}) == unsigned_);
        CHECK(!check_staple(leaf.pem(), response({}), now));
    }

    TEST_CASE("what is said of another certificate says nothing of this one") {
        CHECK(why({.about = &plain_leaf}) == "about another certificate");
        CHECK(check_staple(chain_of(plain_leaf), response({.about = &plain_leaf}), now));
    }

    TEST_CASE("a revoked certificate is told from a responder that can't say") {
        CHECK(code({.status = V_OCSP_CERTSTATUS_REVOKED}) == Errc::refused);
        CHECK(code({.status = V_OCSP_CERTSTATUS_UNKNOWN}) == Errc::refused);
        CHECK(code({.response = OCSP_RESPONSE_STATUS_TRYLATER}) == Errc::unavailable);
        CHECK(code({.by = &other_root}) == Errc::malformed);
        // Nobody's word counts for nothing, whatever it says.
        CHECK(code({.status = V_OCSP_CERTSTATUS_REVOKED, .by = &other_root}) == Errc::malformed);
    }

    TEST_CASE("it holds from its beginning to its end, which it must have") {
        CHECK(why({.until = -1min}) == "past its time");
        CHECK(why({.until = 1min}).empty());
        CHECK(why({.until = 1min}, now + 1min) == "past its time");
        CHECK(why({.from = 1h}) == "from the future");
        CHECK(why({.from = 1min}).empty());  // a responder's clock may be ahead
        CHECK(why({.from = 1h}, std::nullopt).empty());
        CHECK(why({.until = -1min}, std::nullopt).empty());
        CHECK(why({.until = std::nullopt}) == "it does not say how long it holds");
        CHECK(why({.from = -1h, .until = -2h}, std::nullopt) ==
              "it does not say how long it holds");
    }

    TEST_CASE("no part of a response is one, nor is one that is too large") {
        const Buffer whole = response({});
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CAPTURE(size);
            CHECK(!check_staple(chain, Bytes(whole).first(size), now));
        }
        Buffer longer = whole;
        longer.push_back(0);
        CHECK(!check_staple(chain, longer, now));
        Buffer large = whole;
        large.resize(staple_octets_max + 1);
        CHECK(check_staple(chain, large, now).error().message == "a response above 16 KiB");
    }
}

}  // namespace
}  // namespace porchlight::net
