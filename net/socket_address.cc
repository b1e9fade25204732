#include "net/socket_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace porchlight::net {

SocketAddress::SocketAddress(const Endpoint& endpoint) {
    if (const auto* v4 = std::get_if<Ipv4>(&endpoint.address)) {
        sockaddr_in plain{};
        plain.sin_family = AF_INET;
        plain.sin_port = htons(endpoint.port);
        std::memcpy(&plain.sin_addr, v4->octets.data(), v4->octets.size());
        std::memcpy(&storage_, &plain, sizeof plain);
        size_ = sizeof plain;
        return;
    }
    const Ipv6& v6 = std::get<Ipv6>(endpoint.address);
    sockaddr_in6 plain{};
    plain.sin6_family = AF_INET6;
    plain.sin6_port = htons(endpoint.port);
    plain.sin6_scope_id = endpoint.scope;
    std::memcpy(&plain.sin6_addr, v6.octets.data(), v6.octets.size());
    std::memcpy(&storage_, &plain, sizeof plain);
    size_ = sizeof plain;
}

std::optional<Endpoint> SocketAddress::endpoint() const {
    if (family() == AF_INET) {
        sockaddr_in plain{};
        std::memcpy(&plain, &storage_, sizeof plain);
        Ipv4 v4;
        std::memcpy(v4.octets.data(), &plain.sin_addr, v4.octets.size());
        return Endpoint{v4, ntohs(plain.sin_port)};
    }
    if (family() == AF_INET6) {
        sockaddr_in6 plain{};
        std::memcpy(&plain, &storage_, sizeof plain);
        Ipv6 v6;
        std::memcpy(v6.octets.data(), &plain.sin6_addr, v6.octets.size());
        return Endpoint{v6, ntohs(plain.sin6_port), plain.sin6_scope_id};
    }
    return std::nullopt;
}

}  // namespace porchlight::net
