#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "core/bytes.h"

namespace porchlight::net {

template <auto function>
struct FreeBy {
    template <class Object>
    void operator()(Object* object) const {
        function(object);
    }
};

// Owners of OpenSSL's objects.
using BioPtr = std::unique_ptr<BIO, FreeBy<BIO_free>>;
using EvpKeyPtr = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, FreeBy<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, FreeBy<SSL_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, FreeBy<SSL_SESSION_free>>;
using X509Ptr = std::unique_ptr<X509, FreeBy<X509_free>>;

/// A BIO that reads `octets`, which outlive it.
inline BioPtr borrow(Bytes octets) {
    return BioPtr(BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())));
}

/// The last reason that OpenSSL queued in this thread, which is the outermost, as text; the queue
/// is empty afterwards, so that no later call is blamed for it.
std::string take_openssl_reason();

}  // namespace porchlight::net
