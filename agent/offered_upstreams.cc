#include "agent/offered_upstreams.h"

#include <algorithm>

namespace porchlight::agent {
namespace {

constexpr std::uint16_t dot_port = 853;  // RFC 7858 section 3.1

/// By mandatory keys a resolver may demand what DoT has no word for.
bool speaks_dot(const dns::EncryptedResolver& resolver) {
    const auto& alpn = resolver.params.alpn;
    return !why_not_usable(resolver) && std::find(alpn.begin(), alpn.end(), "dot") != alpn.end();
}

}  // namespace

std::vector<forwarder::UpstreamSettings> offered_upstreams(std::span<const Offer> offers) {
    std::vector<forwarder::UpstreamSettings> upstreams;
    for (const Offer& offer : offers) {
        if (!speaks_dot(offer.resolver)) continue;
        forwarder::UpstreamSettings upstream{offer.resolver.adn, {}};
        for (const IpAddress& address : offer.resolver.addresses)
            upstream.addresses.push_back({address, offer.resolver.params.port.value_or(dot_port)});
        const bool known =
            std::find(upstreams.begin(), upstreams.end(), upstream) != upstreams.end();
        if (!upstream.addresses.empty() && !known) upstreams.push_back(std::move(upstream));
    }
    return upstreams;
}

}  // namespace porchlight::agent
