#pragma once

#include <string_view>

#include "core/result.h"
#include "net/openssl.h"

namespace porchlight::acme {

/// An ECDSA key on P-256: of an account or of a certificate.
class Key {
  public:
    static Result<Key> generate();
    /// From PEM without a passphrase. Fails with `malformed` if it is no P-256 key.
    static Result<Key> parse(Bytes pem);

    Buffer pem() const;  // PKCS #8
    /// r and s, 32 octets each, leading zeros kept (RFC 7518 section 3.4), over SHA-256 of `text`.
    Result<Buffer> sign(std::string_view text) const;
    /// The public point's coordinates, 32 octets each.
    struct Point {
        Buffer x;
        Buffer y;
    };
    Point point() const;
    EVP_PKEY* get() const { return key_.get(); }

  private:
    explicit Key(net::EvpKeyPtr key) : key_(std::move(key)) {}
    net::EvpKeyPtr key_;
};

}  // namespace porchlight::acme
