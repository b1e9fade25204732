#include "acme/tsig.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::acme {
namespace {

const WallTime signed_at{std::chrono::seconds(1795255200)};

TsigKey key_of(const std::string& algorithm) {
    TsigKey key{*dns::parse_name("CPE1.Example"), algorithm, {}};
    for (std::uint8_t i = 0; i < 32; ++i) key.secret.push_back(i);
    return key;
}

// An update with ID 0x1234 for the zone example.net.
const auto update = hex(
    "1234 2800 0001 0000 0001 0000"
    "07 6578616d706c65 03 6e6574 00  0006 0001"
    "0f 5f61636d652d6368616c6c656e6765 04 63706531 c00c  0010 0001 0000003c 0006 05 76616c7565");

// What dnspython 2.3 signs this update with, and an answer that it signs for it.
struct Vector {
    const char* algorithm;
    const char* mac;
    const char* answer;
};
constexpr Vector vectors[] = {
    {"hmac-sha256", "d511c427359d799173d278af4d873ed4536f72f89705afbe0ac4ae1a3a2433e1",
     "1234a80000000000000000010443504531074578616d706c650000fa00ff00000000003d0b686d61632d73686132"
     "35360000006b016ba1012c002070d5deae8917cd358924b0c55f0d03256b2c6137ca8f0e1c8686eb518453d56312"
     "3400000000"},
    {"hmac-sha384",
     "3a36fc416a8664c94b5571b81db1fb9c11bf6246144063597a5c6c02e82a97e659cf937de7d2e23757fa61c4c5a5"
     "b26c",
     "1234a80000000000000000010443504531074578616d706c650000fa00ff00000000004d0b686d61632d73686133"
     "38340000006b016ba1012c0030cfd030c2fa9ed208e74a9af00dd4ba95393c42499620758006162f30b79eab4ff9"
     "84e2e8e3e854cc0faf14de5763c373123400000000"},
    {"hmac-sha512",
     "8325f35f23e33d07dc36b694e52ae8ac3a035bf615555dd97e0595ede3ce8ba81dbd3f9d3a54aabd8c8fb5701ea9"
     "9d4fd8c621dca5558ca071b66204ed636748",
     "1234a80000000000000000010443504531074578616d706c650000fa00ff00000000005d0b686d61632d73686135"
     "31320000006b016ba1012c00408ca086eab7b8d202de4910129659283b8dca4979c1dce203e4877f69830ea3cb1f"
     "65783739c990c8cc2b5212b0ec8ac6617f0729b305a41844be10ef78d11803123400000000"},
};

TEST_SUITE("acme/tsig") {
    TEST_CASE("requests are signed, and answers accepted, as another implementation does it") {
        for (const Vector& vector : vectors) {
            CAPTURE(vector.algorithm);
            const TsigKey key = key_of(vector.algorithm);
            Buffer message = update;
            const Buffer mac = sign_tsig(message, key, signed_at);
            CHECK(to_hex(mac) == vector.mac);
            CHECK(message[11] == 1);  // one additional record
            const auto verdict = verify_tsig(hex(vector.answer), key, mac, signed_at);
            REQUIRE(verdict);
            CHECK(verdict->error == 0);
        }
    }

    TEST_CASE("an answer with any octet changed is refused") {
        const TsigKey key = key_of("hmac-sha256");
        const Buffer mac = hex(vectors[0].mac);
        const Buffer good = hex(vectors[0].answer);
        for (std::size_t at = 0; at < good.size(); ++at) {
            // The record's own ID is replaced by the original one, its TTL and class by constants,
            // and letter case in names does not count.
            const bool covered = at >= 2 && !(at >= 28 && at < 34);
            if (!covered) continue;
            Buffer bad = good;
            bad[at] ^= 0x80;
            CAPTURE(at);
            CHECK(!verify_tsig(bad, key, mac, signed_at));
        }
        for (std::size_t size = 0; size < good.size(); ++size)
            CHECK(!verify_tsig(Bytes(good).first(size), key, mac, signed_at));
    }

    TEST_CASE("an answer to another request, by another key or at another time is refused") {
        const TsigKey key = key_of("hmac-sha256");
        const Buffer mac = hex(vectors[0].mac);
        const Buffer good = hex(vectors[0].answer);
        Buffer other_mac = mac;
        other_mac[0] ^= 1;
        CHECK(!verify_tsig(good, key, other_mac, signed_at));
        TsigKey other_key = key;
        other_key.secret[0] ^= 1;
        CHECK(!verify_tsig(good, other_key, mac, signed_at));
        other_key = key;
        other_key.name = *dns::parse_name("cpe2.example");
        CHECK(!verify_tsig(good, other_key, mac, signed_at));
        CHECK(verify_tsig(good, key, mac, signed_at + std::chrono::seconds(300)));
        CHECK(!verify_tsig(good, key, mac, signed_at + std::chrono::seconds(302)));
        CHECK(!verify_tsig(good, key, mac, signed_at - std::chrono::seconds(300)));
        CHECK(!verify_tsig(hex("1234 a800 0000 0000 0000 0000"), key, mac, signed_at));
    }

    TEST_CASE("only HMACs with SHA-2 are known") {
        CHECK(is_tsig_algorithm("hmac-sha256"));
        CHECK(!is_tsig_algorithm("hmac-md5.sig-alg.reg.int"));
        CHECK(!is_tsig_algorithm(""));
    }
}

}  // namespace
}  // namespace porchlight::acme
