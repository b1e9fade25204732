#include "acme/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace porchlight::acme {
namespace {

using net::FreeBy;
using BignumPtr = std::unique_ptr<BIGNUM, FreeBy<BN_free>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, FreeBy<EVP_MD_CTX_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, FreeBy<ECDSA_SIG_free>>;

constexpr int coordinate_octets = 32;

Error openssl_error(const char* doing) {
    return {Errc::internal, std::string(doing) + ": " + net::take_openssl_reason()};
}

void append_padded(Buffer& out, const BIGNUM* number) {
    const std::size_t start = out.size();
    out.resize(start + coordinate_octets);
    BN_bn2binpad(number, out.data() + start, coordinate_octets);
}

bool is_p256(EVP_PKEY* key) {
    char group[32] = {};
    return EVP_PKEY_is_a(key, "EC") == 1 &&
           EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
           std::string_view(group) == SN_X9_62_prime256v1;
}

Buffer coordinate(EVP_PKEY* key, const char* which) {
    BIGNUM* number = nullptr;
    Buffer octets;
    if (EVP_PKEY_get_bn_param(key, which, &number) == 1) append_padded(octets, number);
    BN_free(number);
    return octets;
}

}  // namespace

Result<Key> Key::generate() {
    ERR_clear_error();
    net::EvpKeyPtr key(EVP_EC_gen(SN_X9_62_prime256v1));
    if (!key) return openssl_error("cannot make a key");
    return Key(std::move(key));
}

Result<Key> Key::parse(Bytes pem) {
    ERR_clear_error();
    // Without a callback OpenSSL would ask for the passphrase on the terminal.
    const auto no_passphrase = [](char*, int, int, void*) { return -1; };
    net::EvpKeyPtr key(
        PEM_read_bio_PrivateKey(net::borrow(pem).get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    if (!key || !is_p256(key.get())) return Error{Errc::malformed, "not a P-256 key in PEM"};
    return Key(std::move(key));
}

Buffer Key::pem() const {
    const net::BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return Buffer(data, data + size);
}

Result<Buffer> Key::sign(std::string_view text) const {
    ERR_clear_error();
    const DigestPtr digest(EVP_MD_CTX_new());
    std::size_t size = 0;
    const Bytes octets = bytes_of(text);
    if (EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(digest.get(), nullptr, &size, octets.data(), octets.size()) != 1)
        return openssl_error("cannot sign");
    Buffer der(size);
    if (EVP_DigestSign(digest.get(), der.data(), &size, octets.data(), octets.size()) != 1)
        return openssl_error("cannot sign");

    // DER drops leading zeros of r and s; JOSE keeps them.
    const std::uint8_t* at = der.data();
    const SignaturePtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
    if (!signature) return openssl_error("cannot read a signature");
    Buffer raw;
    append_padded(raw, ECDSA_SIG_get0_r(signature.get()));
    append_padded(raw, ECDSA_SIG_get0_s(signature.get()));
    return raw;
}

Key::Point Key::point() const {
    return {coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X),
            coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y)};
}

}  // namespace porchlight::acme
