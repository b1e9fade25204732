#pragma once

#include <doctest/doctest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string>

#include "core/clock.h"
#include "net/openssl.h"

namespace porchlight::agent {

constexpr std::chrono::seconds day{86400};

/// A certificate for one name, signed by its own key, and that key.
struct SomePair {
    std::string chain, key;

    SomePair(WallTime from, WallTime until, const std::string& name = "cpe1.example.net") {
        const net::EvpKeyPtr pair(EVP_EC_gen("P-256"));
        const net::X509Ptr leaf(X509_new());
        X509_set_version(leaf.get(), X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(leaf.get()), 1);
        ASN1_TIME_set(X509_getm_notBefore(leaf.get()), to_time_t(from));
        ASN1_TIME_set(X509_getm_notAfter(leaf.get()), to_time_t(until));
        X509_set_pubkey(leaf.get(), pair.get());
        X509_EXTENSION* names =
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
        X509_add_ext(leaf.get(), names, -1);
        X509_EXTENSION_free(names);
        REQUIRE(X509_sign(leaf.get(), pair.get(), EVP_sha256()) > 0);
        const net::BioPtr out(BIO_new(BIO_s_mem())), key_out(BIO_new(BIO_s_mem()));
        PEM_write_bio_X509(out.get(), leaf.get());
        PEM_write_bio_PrivateKey(key_out.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
        chain = text_in(out.get());
        key = text_in(key_out.get());
    }

  private:
    static std::string text_in(BIO* memory) {
        char* data = nullptr;
        const long size = BIO_get_mem_data(memory, &data);
        return {data, static_cast<std::size_t>(size)};
    }
};

}  // namespace porchlight::agent
