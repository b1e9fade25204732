#pragma once

#include <openssl/ec.h>
#include <openssl/pem.h>

#include "net/openssl.h"

namespace porchlight::forwarder {

/// A trust anchor, for tests that don't get as far as verifying anything by it.
inline Buffer some_root() {
    const net::EvpKeyPtr key(EVP_EC_gen("P-256"));
    const net::X509Ptr root(X509_new());
    X509_set_pubkey(root.get(), key.get());
    X509_gmtime_adj(X509_getm_notBefore(root.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(root.get()), 3600);
    X509_sign(root.get(), key.get(), EVP_sha256());
    const net::BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), root.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    const Bytes pem = bytes_of({text, static_cast<std::size_t>(size)});
    return {pem.begin(), pem.end()};
}

}  // namespace porchlight::forwarder
