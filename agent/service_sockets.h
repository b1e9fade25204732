#pragma once

#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/hindrances.h"
#include "core/address.h"
#include "core/file_descriptor.h"
#include "core/result.h"
#include "forwarder/listeners.h"

namespace porchlight::agent {

/// A socket that the keeper opened for the forwarder.
struct ServiceSocket {
    forwarder::ListenerInfo info;
    FileDescriptor descriptor;
};

/// DoT sockets of one LAN interface: for each worker one for IPv4 and one for IPv6. They listen on
/// the wildcard address but are bound to the interface, so that new addresses need no new socket,
/// and what comes by another interface never reaches them, even to the LAN address. A kernel
/// without IPv6 gets those for IPv4. Fails with `unavailable` while the interface does not exist,
/// `denied` without the privilege for the port.
Result<std::vector<ServiceSocket>> open_dot_sockets(const std::string& interface,
                                                    std::uint16_t port, unsigned workers);

/// Do53 sockets, UDP and TCP, on those of the loopback addresses that this machine has: with IPv6
/// switched off there is no ::1, and old hosts must be served all the same. Fails where none is.
Result<std::vector<ServiceSocket>> open_do53_sockets(const std::vector<IpAddress>& addresses,
                                                     std::uint16_t port, unsigned workers);

/// Sockets that are opened, or can't be, as one.
struct Service {
    std::string what;       // "serve DNS over TLS on br-lan"
    std::string interface;  // empty: Do53 on loopback
    bool operator==(const Service&) const = default;
};

/// Everything that `config` has us serve.
std::vector<Service> services(const Config& config);
Result<std::vector<ServiceSocket>> open_service(const Service& service, const Config& config);

/// What Router Advertisements are sent and heard by.
struct LinkSockets {
    std::vector<std::string> links;
    std::vector<FileDescriptor> sockets;  // two for each link: raw ICMPv6, frames
    Hindrances::Reasons hindered;
};

/// Those of each LAN interface that is there; none where we send no advertisements ourselves.
LinkSockets open_link_sockets(const Config& config);

/// A listening Unix socket for `porchlight status` and its like, mode 0660, replacing what lies at
/// `path`.
Result<FileDescriptor> open_control_socket(const std::string& path);

}  // namespace porchlight::agent
