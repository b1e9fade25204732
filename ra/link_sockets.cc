#include "ra/link_sockets.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "core/reader.h"
#include "net/socket_address.h"

namespace porchlight::ra {
namespace {

constexpr std::uint8_t icmpv6_next_header = 58;
constexpr std::uint32_t next_header_at = 6;   // in the IPv6 header
constexpr std::uint32_t icmpv6_type_at = 40;  // behind it

Error failed(const std::string& doing, const std::string& interface) {
    const int reason = errno;
    const Errc code = reason == EACCES || reason == EPERM   ? Errc::denied
                      : reason == ENODEV || reason == ENXIO ? Errc::unavailable
                                                            : Errc::internal;
    return {code, doing + " on " + interface + ": " + std::strerror(reason)};
}

template <class Value>
bool set(const FileDescriptor& socket, int level, int option, const Value& value) {
    return ::setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

bool bind_to(const FileDescriptor& socket, const std::string& interface) {
    return ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                        static_cast<socklen_t>(interface.size())) == 0;
}

constexpr sock_filter load_octet(std::uint32_t at) {
    return BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at);
}
constexpr sock_filter load_fact(std::uint32_t fact) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, std::uint32_t(SKF_AD_OFF) + fact);
}
/// Goes on if the octet or fact is `value`, else jumps over `skipped` steps.
constexpr sock_filter expect(std::uint32_t value, std::uint8_t skipped) {
    return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}

/// Router Advertisements that leave, without extension headers: Neighbor Discovery has none.
constexpr std::array outgoing_advertisements{
    load_fact(SKF_AD_PKTTYPE),
    expect(PACKET_OUTGOING, 7),
    load_fact(SKF_AD_PROTOCOL),
    expect(ETH_P_IPV6, 5),
    load_octet(next_header_at),
    expect(icmpv6_next_header, 3),
    load_octet(icmpv6_type_at),
    expect(advertisement_type, 1),
    sock_filter(BPF_STMT(BPF_RET | BPF_K, receive_octets_max)),
    sock_filter(BPF_STMT(BPF_RET | BPF_K, 0)),
};

bool filter_frames(const FileDescriptor& socket) {
    auto steps = outgoing_advertisements;
    const sock_fprog program{static_cast<unsigned short>(steps.size()), steps.data()};
    return set(socket, SOL_SOCKET, SO_ATTACH_FILTER, program);
}

bool filter_icmpv6(const FileDescriptor& socket, std::initializer_list<int> passing) {
    icmp6_filter filter{};
    ICMP6_FILTER_SETBLOCKALL(&filter);
    for (const int type : passing) ICMP6_FILTER_SETPASS(type, &filter);
    return set(socket, IPPROTO_ICMPV6, ICMP6_FILTER, filter);
}

bool join(const FileDescriptor& socket, const Ipv6& group, int index) {
    ipv6_mreq membership{};
    membership.ipv6mr_interface = static_cast<unsigned>(index);
    std::memcpy(&membership.ipv6mr_multiaddr, group.octets.data(), group.octets.size());
    return set(socket, IPPROTO_IPV6, IPV6_JOIN_GROUP, membership);
}

Ipv6 read_ipv6(Reader& in) {
    Ipv6 address;
    const Bytes octets = in.bytes(address.octets.size());
    std::copy(octets.begin(), octets.end(), address.octets.begin());
    return address;
}

/// Control messages of the ICMPv6 socket, aligned as the kernel wants them.
struct alignas(cmsghdr) Control {
    std::array<char, CMSG_SPACE(sizeof(in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int))> octets{};
};

void read_control(msghdr& header, Received& received) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr;
         part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != IPPROTO_IPV6) continue;
        if (part->cmsg_type == IPV6_HOPLIMIT) {
            int value = 0;
            std::memcpy(&value, CMSG_DATA(part), sizeof value);
            received.envelope.hop_limit = static_cast<unsigned>(value);
        }
        // Its value is the size of the largest; of what came whole there is none.
        if (part->cmsg_type == IPV6_RECVFRAGSIZE) received.envelope.in_fragments = true;
        if (part->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(part), sizeof info);
            std::memcpy(received.destination.octets.data(), &info.ipi6_addr,
                        received.destination.octets.size());
        }
    }
}

Result<FileDescriptor> open_raw(const std::string& interface, std::initializer_list<int> passing,
                                const Ipv6& group) {
    const std::string doing = "cannot open a raw ICMPv6 socket";
    FileDescriptor socket(
        ::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6));
    const int index = static_cast<int>(::if_nametoindex(interface.c_str()));
    if (!socket || index == 0) return failed(doing, interface);
    const bool made = filter_icmpv6(socket, passing) && bind_to(socket, interface) &&
                      set(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, index) &&
                      set(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, static_cast<int>(hop_limit)) &&
                      set(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, static_cast<int>(hop_limit)) &&
                      set(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) &&
                      set(socket, IPPROTO_IPV6, IPV6_DONTFRAG, 1) &&
                      set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
                      set(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) &&
                      set(socket, IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 1) && join(socket, group, index);
    if (!made) return failed(doing, interface);
    return socket;
}

}  // namespace

Result<FileDescriptor> open_icmpv6_socket(const std::string& interface) {
    auto socket = open_raw(interface, {ND_ROUTER_SOLICIT, ND_ROUTER_ADVERT}, all_routers);
    // What was told from an address is taken back from it, also when the link has it no more.
    if (socket) (void)set(*socket, IPPROTO_IPV6, IPV6_FREEBIND, 1);
    return socket;
}

Result<FileDescriptor> open_wan_socket(const std::string& interface) {
    return open_raw(interface, {ND_ROUTER_ADVERT}, all_nodes);
}

Result<FileDescriptor> open_frame_socket(const std::string& interface) {
    const std::string doing = "cannot watch outgoing frames";
    // Protocol 0 receives nothing yet: the filter stands before the first frame comes.
    FileDescriptor socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const unsigned index = ::if_nametoindex(interface.c_str());
    if (!socket || index == 0) return failed(doing, interface);
    sockaddr_ll link{};
    link.sll_family = AF_PACKET;
    link.sll_ifindex = static_cast<int>(index);
    // Outgoing frames are shown to those who ask for every protocol only.
    link.sll_protocol = htons(ETH_P_ALL);
    if (!filter_frames(socket) ||
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&link), sizeof link) != 0)
        return failed(doing, interface);
    return socket;
}

unsigned bound_interface(const FileDescriptor& socket) {
    char name[IF_NAMESIZE] = {};
    socklen_t size = sizeof name;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, name, &size) != 0 || size == 0)
        return 0;
    return ::if_nametoindex(name);
}

std::optional<Received> receive_icmpv6(const FileDescriptor& socket,
                                       std::span<std::uint8_t> buffer) {
    net::SocketAddress from;
    Control control;
    iovec part{buffer.data(), buffer.size()};
    msghdr header{};
    header.msg_name = from.get();
    header.msg_namelen = from.size();
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.octets.data();
    header.msg_controllen = control.octets.size();
    const ssize_t got = ::recvmsg(socket.get(), &header, 0);
    if (got < 0 || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return std::nullopt;
    const auto sender = from.endpoint();
    if (!sender || !std::holds_alternative<Ipv6>(sender->address)) return std::nullopt;
    Received received;
    received.octets = buffer.first(static_cast<std::size_t>(got));
    received.envelope.source = std::get<Ipv6>(sender->address);
    read_control(header, received);
    return received;
}

std::optional<Received> receive_frame(const FileDescriptor& socket,
                                      std::span<std::uint8_t> buffer) {
    const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) return std::nullopt;
    Reader in(Bytes(buffer.first(static_cast<std::size_t>(got))));
    (void)in.u32();  // version, traffic class, flow label
    const std::size_t payload_octets = in.u16();
    const bool is_icmpv6 = in.u8() == icmpv6_next_header;
    Received received;
    received.envelope.hop_limit = in.u8();
    received.envelope.source = read_ipv6(in);
    received.destination = read_ipv6(in);
    received.octets = in.bytes(payload_octets);
    if (in.failed() || !is_icmpv6) return std::nullopt;
    return received;
}

Result<void> send_icmpv6(const FileDescriptor& socket, const Ipv6& source, const Ipv6& destination,
                         Bytes octets) {
    const unsigned index = bound_interface(socket);
    net::SocketAddress to(Endpoint{destination, 0, index});
    in6_pktinfo info{};
    info.ipi6_ifindex = index;
    std::memcpy(&info.ipi6_addr, source.octets.data(), source.octets.size());
    Control control;
    iovec part{const_cast<std::uint8_t*>(octets.data()), octets.size()};
    msghdr header{};
    header.msg_name = to.get();
    header.msg_namelen = to.size();
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.octets.data();
    header.msg_controllen = CMSG_SPACE(sizeof info);
    cmsghdr* first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = IPPROTO_IPV6;
    first->cmsg_type = IPV6_PKTINFO;
    first->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(first), &info, sizeof info);
    if (::sendmsg(socket.get(), &header, MSG_NOSIGNAL) < 0)
        return Error{Errc::unavailable, std::string("cannot send ICMPv6: ") + std::strerror(errno)};
    return {};
}

Result<void> solicit_others(const FileDescriptor& socket) {
    Writer out;
    write(out, Solicitation{});
    return send_icmpv6(socket, Ipv6{}, all_routers, out.view());
}

Result<void> solicit(const FileDescriptor& socket) {
    // Our advertisements must not come back to this machine, but the daemon to be asked is on it.
    set(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
    auto sent = solicit_others(socket);
    set(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
    return sent;
}

bool is_own_answer(const Received& received) {
    return received.envelope.source == received.destination &&
           is_link_local(received.envelope.source);
}

}  // namespace porchlight::ra
