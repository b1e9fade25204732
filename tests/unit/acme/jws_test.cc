#include "acme/jws.h"

#include <doctest/doctest.h>
#include <openssl/ecdsa.h>

#include <nlohmann/json.hpp>

#include "core/base64url.h"

namespace porchlight::acme {
namespace {

// The key of RFC 7515 appendix A.3, as PKCS #8.
constexpr std::string_view rfc7515_key =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
    "-----END PRIVATE KEY-----\n";

/// Judges a JOSE signature by OpenSSL alone.
bool verifies(const Key& key, std::string_view text, Bytes raw) {
    if (raw.size() != 64) return false;
    ECDSA_SIG* signature = ECDSA_SIG_new();
    ECDSA_SIG_set0(signature, BN_bin2bn(raw.data(), 32, nullptr),
                   BN_bin2bn(raw.data() + 32, 32, nullptr));
    std::uint8_t* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature, &der);
    EVP_MD_CTX* digest = EVP_MD_CTX_new();
    const Bytes octets = bytes_of(text);
    const bool good =
        EVP_DigestVerifyInit(digest, nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
        EVP_DigestVerify(digest, der, static_cast<std::size_t>(size), octets.data(),
                         octets.size()) == 1;
    EVP_MD_CTX_free(digest);
    OPENSSL_free(der);
    ECDSA_SIG_free(signature);
    return good;
}

TEST_SUITE("acme/jws") {
    TEST_CASE("the key of RFC 7515 A.3 has its coordinates, and its signature verifies") {
        const auto key = Key::parse(bytes_of(rfc7515_key));
        REQUIRE(key);
        CHECK(jwk(*key) ==
              R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
              R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
        CHECK(thumbprint(*key) == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
        const std::string input =
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
            "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        const auto signature = parse_base64url(
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
            "Kg6NU1Q");
        REQUIRE(signature);
        CHECK(verifies(*key, input, *signature));
    }

    TEST_CASE("every signature is 64 octets and verifies, those with leading zeros too") {
        const auto key = Key::generate();
        REQUIRE(key);
        int leading_zeros = 0;
        for (int i = 0; i < 2000; ++i) {
            const std::string text = "message " + std::to_string(i);
            const auto signature = key->sign(text);
            REQUIRE(signature);
            REQUIRE(verifies(*key, text, *signature));
            leading_zeros += (*signature)[0] == 0 || (*signature)[32] == 0 ? 1 : 0;
        }
        CHECK(leading_zeros > 0);  // one in 128 is expected
    }

    TEST_CASE("a key survives PEM, and other keys are refused") {
        const auto key = Key::generate();
        REQUIRE(key);
        const auto again = Key::parse(key->pem());
        REQUIRE(again);
        CHECK(jwk(*again) == jwk(*key));
        CHECK(!Key::parse(bytes_of("no key")));
        CHECK(!Key::parse({}));
    }

    TEST_CASE("a request carries the key or the account, and an empty payload stays empty") {
        const auto key = Key::generate();
        REQUIRE(key);
        const JwsHeader by_key{"nonce-1", "https://ca.example/new", ""};
        const auto first = write_jws(*key, by_key, "{}");
        REQUIRE(first);
        auto parts = nlohmann::json::parse(*first);
        auto header =
            nlohmann::json::parse(text_of(*parse_base64url(parts["protected"].get<std::string>())));
        CHECK(header["alg"] == "ES256");
        CHECK(header["nonce"] == "nonce-1");
        CHECK(header["url"] == "https://ca.example/new");
        CHECK(header["jwk"] == nlohmann::json::parse(jwk(*key)));
        CHECK(!header.contains("kid"));
        CHECK(parts["payload"] == "e30");
        const std::string input =
            parts["protected"].get<std::string>() + "." + parts["payload"].get<std::string>();
        CHECK(verifies(*key, input, *parse_base64url(parts["signature"].get<std::string>())));

        const JwsHeader by_account{"nonce-2", "https://ca.example/order", "https://ca.example/me"};
        const auto second = write_jws(*key, by_account, "");
        REQUIRE(second);
        parts = nlohmann::json::parse(*second);
        header =
            nlohmann::json::parse(text_of(*parse_base64url(parts["protected"].get<std::string>())));
        CHECK(header["kid"] == "https://ca.example/me");
        CHECK(!header.contains("jwk"));
        CHECK(parts["payload"] == "");
    }
}

}  // namespace
}  // namespace porchlight::acme
