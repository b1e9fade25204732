#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "core/address.h"
#include "core/file_descriptor.h"
#include "core/result.h"

// For those in this folder who ask the kernel over RTNETLINK: pictures read as a whole, and
// notifications that say only that there is another one now.

namespace porchlight::net {

struct NetlinkFree {
    void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};
using NetlinkSocket = std::unique_ptr<nl_sock, NetlinkFree>;

/// `reason` as libnl numbers them.
Error netlink_failed(const char* doing, int reason);
/// To read dumps by. Needs no privilege.
Result<NetlinkSocket> open_route_socket();
/// Hears `groups` (RTMGRP_…); drain() takes off what was heard.
Result<FileDescriptor> open_route_notifications(std::uint32_t groups);

/// Asks for a dump and reads it to its end. 0, or a code of libnl.
int netlink_dump(nl_sock* socket, int request, unsigned char family = AF_UNSPEC);
/// Dumps again while the picture changes under the reading; each message goes to `take` with
/// `into`. `dump_all` starts from nothing and returns what netlink_dump() does.
int read_whole(nl_sock* socket, nl_recvmsg_msg_cb_t take, void* into,
               const std::function<int(nl_sock*)>& dump_all);

/// Takes every waiting notification off the socket, unread. False: nothing was there.
bool drain(int fd);

/// The octets of an attribute that holds an address of `family` (AF_INET, AF_INET6).
std::optional<IpAddress> address_of(unsigned family, const nlattr* attribute);

}  // namespace porchlight::net
