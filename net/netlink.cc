#include "net/netlink.h"

#include <linux/rtnetlink.h>

#include <cerrno>
#include <string>

namespace porchlight::net {
namespace {

constexpr int reads_max = 5;  // of a picture that changes while it is read
constexpr timeval answer_within{2, 0};

}  // namespace

Error netlink_failed(const char* doing, int reason) {
    return {Errc::internal, std::string(doing) + ": " + nl_geterror(reason)};
}

Result<NetlinkSocket> open_route_socket() {
    NetlinkSocket socket(nl_socket_alloc());
    if (!socket) return Error{Errc::internal, "no memory for a netlink socket"};
    if (const int status = nl_connect(socket.get(), NETLINK_ROUTE); status < 0)
        return netlink_failed("cannot open a netlink socket", status);
    return socket;
}

Result<FileDescriptor> open_route_notifications(std::uint32_t groups) {
    FileDescriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = groups;
    if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return netlink_failed("cannot follow the kernel", -nl_syserr2nlerr(errno));
    return fd;
}

int netlink_dump(nl_sock* socket, int request, unsigned char family) {
    rtgenmsg all{family};
    if (const int sent = nl_send_simple(socket, request, NLM_F_DUMP, &all, sizeof all); sent < 0)
        return sent;
    return nl_recvmsgs_default(socket);
}

int read_whole(nl_sock* socket, nl_recvmsg_msg_cb_t take, void* into,
               const std::function<int(nl_sock*)>& dump_all) {
    // The kernel answers a dump within the call; the limit is for a kernel that doesn't.
    ::setsockopt(nl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &answer_within,
                 sizeof answer_within);
    nl_socket_enable_msg_peek(socket);
    nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, take, into);
    int status = 0;
    for (int attempt = 0; attempt < reads_max; ++attempt) {
        status = dump_all(socket);
        if (status != -NLE_DUMP_INTR) break;
    }
    return status;
}

bool drain(int fd) {
    bool any = false;
    for (;;) {
        std::uint8_t octet = 0;
        const ssize_t got = ::recv(fd, &octet, 1, MSG_DONTWAIT | MSG_TRUNC);
        if (got < 0 && errno == EINTR) continue;
        // ENOBUFS: the kernel had to drop some. Then something changed for certain.
        if (got < 0 && errno != ENOBUFS) return any;
        any = true;
    }
}

std::optional<IpAddress> address_of(unsigned family, const nlattr* attribute) {
    if (attribute == nullptr) return std::nullopt;
    if (Ipv4 v4; family == AF_INET && nla_len(attribute) == int(v4.octets.size())) {
        nla_memcpy(v4.octets.data(), attribute, int(v4.octets.size()));
        return v4;
    }
    if (Ipv6 v6; family == AF_INET6 && nla_len(attribute) == int(v6.octets.size())) {
        nla_memcpy(v6.octets.data(), attribute, int(v6.octets.size()));
        return v6;
    }
    return std::nullopt;
}

}  // namespace porchlight::net
