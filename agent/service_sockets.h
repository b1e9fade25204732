#pragma once

#include <map>
#include <optional>
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

/// TCP sockets of one LAN interface, for DoT or DoH: for each worker one for IPv4 and one for IPv6.
/// They listen on the wildcard address but are bound to the interface, so that new addresses need
/// no new socket, and what comes by another interface never reaches them, even to the LAN address.
/// A kernel without IPv6 gets those for IPv4. Fails with `unavailable` while the interface does not
/// exist, `denied` without the privilege for the port.
Result<std::vector<ServiceSocket>> open_lan_sockets(forwarder::ListenerKind kind,
                                                    const std::string& interface,
                                                    std::uint16_t port, unsigned workers);

/// Do53 sockets, UDP and TCP, on one loopback address. Fails with `unavailable` where this machine
/// has no such address, as where IPv6 is switched off there is no ::1.
Result<std::vector<ServiceSocket>> open_do53_sockets(const IpAddress& address, std::uint16_t port,
                                                     unsigned workers);

/// Sockets that are opened, or can't be, as one.
struct Service {
    std::string what;       // "serve DNS over TLS on br-lan"
    std::string interface;  // empty: Do53 on loopback
    std::uint16_t port = 0;
    forwarder::ListenerKind kind = forwarder::ListenerKind::dot;
    std::optional<IpAddress> address = {};  // of Do53
    bool operator==(const Service&) const = default;
};

/// Everything that `config` has us serve.
std::vector<Service> services(const Config& config);
Result<std::vector<ServiceSocket>> open_service(const Service& service, const Config& config);

/// What became of everything that a configuration has us serve.
struct Opening {
    std::vector<ServiceSocket> sockets;
    /// What could not be opened for whom, and why. An interface that does not exist yet hinders
    /// nothing, nor does a loopback address that is not there beside one that is: old hosts are
    /// served all the same.
    Hindrances::Reasons hindered;
    std::vector<Service> unserved;          // what nobody tells us of when it can be opened
    std::map<std::string, unsigned> links;  // the LAN interfaces' indexes just before
};

Opening open_services(const Config& config);

/// What Router Advertisements are sent and heard by.
struct LinkSockets {
    std::vector<std::string> links;
    std::vector<FileDescriptor> sockets;  // two for each link: raw ICMPv6, frames
    Hindrances::Reasons hindered;
    std::vector<std::string> missing;  // links that are there, and whose sockets could not be had
};

/// The two of one link. Fails where the kernel refuses them, or IPv6 on that link.
Result<std::vector<FileDescriptor>> open_link(const std::string& interface);

/// The links that we send advertisements on ourselves.
std::vector<std::string> advertised_links(const Config& config);
/// Those of each of `links` that is there.
LinkSockets open_link_sockets(const std::vector<std::string>& links);

/// A listening Unix socket for `porchlight status` and its like, mode 0660, replacing what lies at
/// `path`.
Result<FileDescriptor> open_control_socket(const std::string& path);

}  // namespace porchlight::agent
