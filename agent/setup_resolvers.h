#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace porchlight::agent::setup {

/// A resolver that anybody may use, as it is described in public. All speak DNS over TLS at 853,
/// and DNS over HTTPS at 443 with the usual path.
struct PublicResolver {
    std::string_view name;  // one word, as people call it
    std::string_view note;
    std::string_view adn;
    std::vector<std::string_view> addresses;
    bool quic = false;                       // DNS over QUIC at 853
    std::vector<std::string_view> versions;  // of HTTP, by ALPN id
};

std::span<const PublicResolver> public_resolvers();

/// By name, in whatever case, or by ADN; null where there is none.
const PublicResolver* find_public_resolver(std::string_view name);

}  // namespace porchlight::agent::setup
