#pragma once

#include <chrono>
#include <optional>
#include <string>
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
