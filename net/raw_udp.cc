#include "net/raw_udp.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "net/socket_address.h"
#include "net/udp_packet.h"

namespace porchlight::net {
namespace {

constexpr std::uint32_t datagram_octets_max = 65535;
constexpr Ipv4 everybody{{255, 255, 255, 255}};
constexpr int udp_checksum_at = 6;

Error failed(const std::string& doing) {
    const int reason = errno;
    const Errc code = reason == EACCES || reason == EPERM   ? Errc::denied
                      : reason == ENODEV || reason == ENXIO ? Errc::unavailable
                                                            : Errc::internal;
    return {code, doing + ": " + std::strerror(reason)};
}

template <class Value>
bool set(const FileDescriptor& socket, int level, int option, const Value& value) {
    return ::setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

bool bind_to(const FileDescriptor& socket, const std::string& interface) {
    return ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                        static_cast<socklen_t>(interface.size())) == 0;
}

/// Passes UDP in IPv4 for one port, first fragments only: the others have no ports.
bool filter_port(const FileDescriptor& socket, std::uint16_t port) {
    std::array steps{
        sock_filter BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
        sock_filter BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
        sock_filter BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        sock_filter BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, datagram_octets_max),
        sock_filter BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const sock_fprog program{static_cast<unsigned short>(steps.size()), steps.data()};
    return set(socket, SOL_SOCKET, SO_ATTACH_FILTER, program);
}

Result<void> send(const FileDescriptor& socket, const sockaddr* to, socklen_t size, Bytes octets) {
    if (::sendto(socket.get(), octets.data(), octets.size(), MSG_NOSIGNAL, to, size) >= 0)
        return {};
    return Error{Errc::unavailable, std::string("cannot send: ") + std::strerror(errno)};
}

/// The interface that a packet socket is bound to.
int bound_index(const FileDescriptor& socket) {
    sockaddr_ll link{};
    socklen_t size = sizeof link;
    auto* name = reinterpret_cast<sockaddr*>(&link);
    return ::getsockname(socket.get(), name, &size) == 0 ? link.sll_ifindex : 0;
}

}  // namespace

Result<FileDescriptor> open_packet_socket(const std::string& interface, std::uint16_t port) {
    // Protocol 0 receives nothing yet: the filter stands before the first frame comes.
    FileDescriptor socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const unsigned index = ::if_nametoindex(interface.c_str());
    sockaddr_ll link{};
    link.sll_family = AF_PACKET;
    link.sll_ifindex = static_cast<int>(index);
    link.sll_protocol = htons(ETH_P_IP);
    if (!socket || index == 0 || !filter_port(socket, port) ||
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&link), sizeof link) != 0)
        return failed("cannot open a packet socket on " + interface);
    return socket;
}

Result<FileDescriptor> open_raw_v4_sender(const std::string& interface, const Ipv4& source) {
    FileDescriptor socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
    const SocketAddress from(Endpoint{source, 0});
    if (!socket || !bind_to(socket, interface) || !set(socket, SOL_SOCKET, SO_BROADCAST, 1) ||
        ::bind(socket.get(), from.get(), from.size()) != 0)
        return failed("cannot open a raw socket on " + interface);
    return socket;
}

Result<FileDescriptor> open_raw_v4_receiver(std::uint16_t port) {
    FileDescriptor socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
    if (!socket || !filter_port(socket, port)) return failed("cannot open a raw socket");
    return socket;
}

Result<FileDescriptor> open_raw_v6(const std::string& interface) {
    FileDescriptor socket(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
    const int index = static_cast<int>(::if_nametoindex(interface.c_str()));
    if (!socket || index == 0 || !bind_to(socket, interface) ||
        !set(socket, IPPROTO_IPV6, IPV6_CHECKSUM, udp_checksum_at) ||
        !set(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, index))
        return failed("cannot open a raw IPv6 socket on " + interface);
    return socket;
}

std::optional<RawReceived> receive_v4(const FileDescriptor& socket,
                                      std::span<std::uint8_t> buffer) {
    sockaddr_storage sender{};
    socklen_t size = sizeof sender;
    const ssize_t got = ::recvfrom(socket.get(), buffer.data(), buffer.size(), 0,
                                   reinterpret_cast<sockaddr*>(&sender), &size);
    if (got < 0) return std::nullopt;
    const auto packet = parse_udp_packet(buffer.first(static_cast<std::size_t>(got)));
    if (!packet) return std::nullopt;
    RawReceived received;
    if (sender.ss_family == AF_PACKET) {
        sockaddr_ll link{};
        std::memcpy(&link, &sender, sizeof link);
        if (link.sll_pkttype == PACKET_OUTGOING) return std::nullopt;
        const std::size_t octets = std::min<std::size_t>(link.sll_halen, sizeof link.sll_addr);
        received.hardware_address.assign(link.sll_addr, link.sll_addr + octets);
    }
    received.from = {packet->source, packet->datagram.source_port};
    received.to_port = packet->datagram.destination_port;
    received.payload = packet->datagram.payload;
    return received;
}

std::optional<RawReceived> receive_v6(const FileDescriptor& socket,
                                      std::span<std::uint8_t> buffer) {
    SocketAddress sender;
    const ssize_t got = ::recvfrom(socket.get(), buffer.data(), buffer.size(), 0, sender.get(),
                                   sender.size_pointer());
    if (got < 0) return std::nullopt;
    const auto datagram = parse_udp(buffer.first(static_cast<std::size_t>(got)));
    const auto from = sender.endpoint();
    if (!datagram || !from) return std::nullopt;
    RawReceived received;
    received.from = *from;
    received.from.port = datagram->source_port;
    received.to_port = datagram->destination_port;
    received.payload = datagram->payload;
    return received;
}

Result<void> broadcast_frame(const FileDescriptor& socket, std::uint16_t from_port,
                             std::uint16_t to_port, Bytes payload) {
    Writer out;
    write(out, UdpPacket{Ipv4{}, everybody, {from_port, to_port, payload}});
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_IP);
    to.sll_ifindex = bound_index(socket);
    to.sll_halen = ETH_ALEN;
    std::fill_n(to.sll_addr, ETH_ALEN, static_cast<unsigned char>(0xff));
    return send(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to, out.view());
}

Result<void> broadcast_v4(const FileDescriptor& socket, std::uint16_t from_port,
                          std::uint16_t to_port, Bytes payload) {
    Writer out;
    write(out, UdpDatagram{from_port, to_port, payload});
    const SocketAddress to(Endpoint{everybody, 0});
    return send(socket, to.get(), to.size(), out.view());
}

Result<void> send_v6(const FileDescriptor& socket, std::uint16_t from_port, const Endpoint& to,
                     Bytes payload) {
    Writer out;
    write(out, UdpDatagram{from_port, to.port, payload});
    // A raw socket takes a protocol for the port, and refuses another than its own.
    const SocketAddress address(Endpoint{to.address, 0, to.scope});
    return send(socket, address.get(), address.size(), out.view());
}

}  // namespace porchlight::net
