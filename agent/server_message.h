#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dns/encrypted_resolver.h"
#include "net/frame.h"

namespace porchlight::agent {

/// By what a machine acts as the hosts' router or server.
enum class ServerKind {
    advertisement,
    dhcpv6,
    dhcpv4,
    /// A first fragment that hides what it is: nobody needs one but to pass a guard (RFC 7113
    /// section 2, RFC 7112).
    hidden,
};

inline constexpr std::array server_kinds{ServerKind::advertisement, ServerKind::dhcpv6,
                                         ServerKind::dhcpv4, ServerKind::hidden};

/// For programs: "router_advertisement", "dhcpv6", "dhcpv4", "hidden".
std::string_view word_of(ServerKind kind);

/// A count for each kind.
struct PerServerKind {
    std::array<std::uint64_t, server_kinds.size()> counts{};

    std::uint64_t& operator[](ServerKind kind) { return counts[static_cast<std::size_t>(kind)]; }
    std::uint64_t operator[](ServerKind kind) const {
        return counts[static_cast<std::size_t>(kind)];
    }
    std::uint64_t sum() const {
        return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    }
    bool operator==(const PerServerKind&) const = default;
};

/// What a frame tells hosts in the manner of a router or a DHCP server.
struct ServerMessage {
    ServerKind kind = ServerKind::advertisement;
    /// It tells hosts how to reach the world, and not merely, with a Router Lifetime of 0, some
    /// network beside it, as the border routers of Thread do.
    bool leads_away = true;
    std::string server;                             // by which DHCP knows it; empty: none is told
    std::vector<IpAddress> plain;                   // resolvers; those taken back are left out
    std::vector<dns::EncryptedResolver> encrypted;  // likewise
    bool operator==(const ServerMessage&) const = default;
};

/// The message in a frame; nothing where it has none, or one that every host discards.
std::optional<ServerMessage> server_message(const net::Frame& frame);

}  // namespace porchlight::agent
