#include "agent/service_sockets.h"

#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "agent/plan.h"
#include "agent/privileges.h"
#include "net/socket_address.h"
#include "ra/link_sockets.h"

namespace porchlight::agent {
namespace {

constexpr int backlog = 128;
constexpr int fast_open_max = 128;  // connections that are not quite open, RFC 7413 section 5.1

/// No such interface; no such address, or no such family at all, as where IPv6 is switched off.
bool is_missing(int reason) {
    return reason == ENODEV || reason == EADDRNOTAVAIL || reason == EAFNOSUPPORT;
}

Error failed(const std::string& doing) {
    const int reason = errno;
    const Errc code = reason == EACCES || reason == EPERM ? Errc::denied
                      : is_missing(reason)                ? Errc::unavailable
                                                          : Errc::refused;
    return {code, doing + ": " + std::strerror(reason)};
}

bool switch_on(int fd, int level, int option) {
    const int on = 1;
    return ::setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/// A bound socket of `type` at `at`, bound to `interface` unless that is empty.
Result<FileDescriptor> open_bound(int type, const Endpoint& at, const std::string& interface) {
    const net::SocketAddress address(at);
    const std::string doing =
        "cannot listen on " + to_text(at) + (interface.empty() ? "" : " of interface " + interface);
    FileDescriptor socket(::socket(address.family(), type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return failed(doing);
    const int fd = socket.get();
    if (!switch_on(fd, SOL_SOCKET, SO_REUSEADDR) || !switch_on(fd, SOL_SOCKET, SO_REUSEPORT))
        return failed(doing);
    if (address.family() == AF_INET6 && !switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY))
        return failed(doing);
    if (!interface.empty() && ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                           static_cast<socklen_t>(interface.size())) != 0)
        return failed(doing);
    if (::bind(fd, address.get(), address.size()) != 0) return failed(doing);
    if (type == SOCK_STREAM) {
        // Saves a round trip (RFC 7766 section 9) where the kernel allows it, and is no loss else.
        (void)::setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &fast_open_max, sizeof fast_open_max);
        if (::listen(fd, backlog) != 0) return failed(doing);
    }
    return socket;
}

}  // namespace

Result<std::vector<ServiceSocket>> open_lan_sockets(forwarder::ListenerKind kind,
                                                    const std::string& interface,
                                                    std::uint16_t port, unsigned workers) {
    std::vector<ServiceSocket> sockets;
    std::optional<Error> missing;
    for (unsigned worker = 0; worker < workers; ++worker) {
        for (const IpAddress& any : {IpAddress(Ipv4()), IpAddress(Ipv6())}) {
            auto socket = open_bound(SOCK_STREAM, Endpoint{any, port}, interface);
            if (!socket) {
                if (socket.error().code != Errc::unavailable) return socket.error();
                missing = socket.error();
                continue;
            }
            sockets.push_back(
                {{kind, static_cast<std::uint8_t>(worker), interface}, std::move(*socket)});
        }
    }
    if (sockets.empty() && missing) return *missing;
    return sockets;
}

Result<std::vector<ServiceSocket>> open_do53_sockets(const IpAddress& address, std::uint16_t port,
                                                     unsigned workers) {
    std::vector<ServiceSocket> sockets;
    for (unsigned worker = 0; worker < workers; ++worker) {
        for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
            auto socket = open_bound(type, Endpoint{address, port}, "");
            if (!socket) return socket.error();
            const auto kind = type == SOCK_DGRAM ? forwarder::ListenerKind::do53_udp
                                                 : forwarder::ListenerKind::do53_tcp;
            sockets.push_back({{kind, static_cast<std::uint8_t>(worker), ""}, std::move(*socket)});
        }
    }
    return sockets;
}

std::vector<Service> services(const Config& config) {
    std::vector<Service> list;
    using enum forwarder::ListenerKind;
    for (const LanConfig& lan : config.lan) {
        if (!config.resolver) break;
        const std::uint16_t dot_port = config.resolver->dot.port;
        for (const std::uint16_t port : ports(*config.resolver)) {
            const bool tls = port == dot_port;
            const std::string what =
                tls ? "serve DNS over TLS on "
                    : "serve DNS over HTTPS at port " + std::to_string(port) + " on ";
            list.push_back({what + lan.interface, lan.interface, port, tls ? dot : doh});
        }
    }
    if (asks_upstream(config))
        for (const IpAddress& address : config.do53.addresses)
            list.push_back({"serve the companion on " + to_text(address), "", config.do53.port,
                            do53_udp, address});
    return list;
}

Result<std::vector<ServiceSocket>> open_service(const Service& service, const Config& config) {
    if (service.address) return open_do53_sockets(*service.address, service.port, config.workers);
    return open_lan_sockets(service.kind, service.interface, service.port, config.workers);
}

Opening open_services(const Config& config) {
    Opening opening;
    for (const auto& lan : config.lan)
        opening.links[lan.interface] = ::if_nametoindex(lan.interface.c_str());
    std::map<std::string, std::string> absent;  // loopback addresses
    bool companion = false;
    for (Service& service : services(config)) {
        auto opened = open_service(service, config);
        if (opened) {
            companion = companion || service.address;
            std::move(opened->begin(), opened->end(), std::back_inserter(opening.sockets));
            continue;
        }
        const Error& error = opened.error();
        const bool here = error.code != Errc::unavailable;
        if (here || service.address) {
            (here ? opening.hindered : absent)[service.what] = error.message;
            opening.unserved.push_back(std::move(service));
        }
    }
    if (!companion) opening.hindered.merge(absent);
    return opening;
}

Result<std::vector<FileDescriptor>> open_link(const std::string& interface) {
    auto icmpv6 = ra::open_icmpv6_socket(interface);
    if (!icmpv6) return icmpv6.error();
    auto frames = ra::open_frame_socket(interface);
    if (!frames) return frames.error();
    std::vector<FileDescriptor> sockets;
    sockets.push_back(std::move(*icmpv6));
    sockets.push_back(std::move(*frames));
    return sockets;
}

std::vector<std::string> advertised_links(const Config& config) {
    std::vector<std::string> links;
    if (!advertises(config.announce.ra)) return links;
    for (const LanConfig& lan : config.lan) links.push_back(lan.interface);
    return links;
}

LinkSockets open_link_sockets(const std::vector<std::string>& links) {
    LinkSockets opened;
    if (links.empty()) return opened;
    if (!has_capability(CAP_NET_RAW)) {
        opened.hindered["send Router Advertisements"] = "";
        return opened;
    }
    for (const std::string& link : links) {
        auto sockets = open_link(link);
        if (sockets) {
            opened.links.push_back(link);
            std::move(sockets->begin(), sockets->end(), std::back_inserter(opened.sockets));
        } else if (::if_nametoindex(link.c_str()) != 0) {
            // Of a link that is not here, its coming tells.
            opened.missing.push_back(link);
            opened.hindered["send Router Advertisements on " + link] = sockets.error().message;
        }
    }
    return opened;
}

Result<FileDescriptor> open_control_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Error{Errc::refused, path + " is too long for a socket's name"};
    std::memcpy(address.sun_path, path.data(), path.size());
    FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return failed("cannot make the control socket");
    ::unlink(path.c_str());
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(path.c_str(), 0660) != 0 || ::listen(socket.get(), 8) != 0)
        return failed("cannot make the control socket " + path);
    return socket;
}

}  // namespace porchlight::agent
