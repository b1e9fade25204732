#pragma once

#include <string>
#include <string_view>

#include "acme/key.h"
#include "core/result.h"

namespace porchlight::acme {

/// The public key as a JWK: its required members in lexicographic order, without blanks, so that
/// its hash is the thumbprint (RFC 7638 section 3).
std::string jwk(const Key& key);
/// base64url(SHA-256(jwk)).
std::string thumbprint(const Key& key);

/// The protected header of a request to a CA (RFC 8555 section 6.2).
struct JwsHeader {
    std::string nonce;
    std::string url;
    std::string account_url;  // goes as `kid`; empty: the whole key goes as `jwk`
};

/// A flattened JWS with ES256 (RFC 7515 section 7.2.2, RFC 7518 section 3.4). An empty payload
/// makes a POST-as-GET.
Result<std::string> write_jws(const Key& key, const JwsHeader& header, std::string_view payload);

}  // namespace porchlight::acme
