#include "acme/jws.h"

#include <openssl/sha.h>

#include <array>
#include <nlohmann/json.hpp>

#include "acme/json.h"
#include "core/base64url.h"

namespace porchlight::acme {
namespace {

using nlohmann::json;

json jwk_object(const Key& key) {
    const Key::Point point = key.point();
    return {{"crv", "P-256"}, {"kty", "EC"}, {"x", base64url(point.x)}, {"y", base64url(point.y)}};
}

}  // namespace

std::string jwk(const Key& key) {
    return json_text(jwk_object(key));  // this library's objects sort their members
}

std::string thumbprint(const Key& key) {
    const std::string text = jwk(key);
    const Bytes octets = bytes_of(text);
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> hash{};
    SHA256(octets.data(), octets.size(), hash.data());
    return base64url(hash);
}

Result<std::string> write_jws(const Key& key, const JwsHeader& header, std::string_view payload) {
    json fields = {{"alg", "ES256"}, {"nonce", header.nonce}, {"url", header.url}};
    if (header.account_url.empty())
        fields["jwk"] = jwk_object(key);
    else
        fields["kid"] = header.account_url;
    const std::string protected_part = base64url(bytes_of(json_text(fields)));
    const std::string payload_part = base64url(bytes_of(payload));
    const Result<Buffer> signature = key.sign(protected_part + "." + payload_part);
    if (!signature) return signature.error();
    return json_text({{"protected", protected_part},
                      {"payload", payload_part},
                      {"signature", base64url(*signature)}});
}

}  // namespace porchlight::acme
