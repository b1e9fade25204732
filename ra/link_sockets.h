#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/file_descriptor.h"
#include "core/result.h"
#include "ra/advertisement.h"

namespace porchlight::ra {

// The two sockets of one LAN link, and the one of a WAN link. They need CAP_NET_RAW to be opened;
// afterwards anybody who holds them may use them. All are non-blocking and closed on exec. Opening
// fails with `denied` without the privilege, `unavailable` while there is no such interface.

/// Raw ICMPv6 bound to the interface: receives solicitations (a member of ff02::2) and
/// advertisements, sends with hop limit 255, never in fragments.
Result<FileDescriptor> open_icmpv6_socket(const std::string& interface);

/// AF_PACKET with a filter that passes nothing but Router Advertisements that this machine itself
/// sends out of the interface, from their IPv6 header on: the RA daemon's and ours. A raw ICMPv6
/// socket sees neither its unicast answers nor its multicasts.
Result<FileDescriptor> open_frame_socket(const std::string& interface);

/// Raw ICMPv6 bound to a WAN interface: receives advertisements only, sends with hop limit 255. A
/// member of no group that the kernel would tell the link of.
Result<FileDescriptor> open_wan_socket(const std::string& interface);

/// The interface that a socket is bound to; 0 if that is gone.
unsigned bound_interface(const FileDescriptor& socket);

/// An ICMPv6 message as it came. `octets` borrows from the buffer that was received into.
struct Received {
    Bytes octets;
    Envelope envelope;
    Ipv6 destination;
};

/// Enough for every advertisement that is no fragment on Ethernet; the rest of a longer one is cut
/// off, and then no parser takes it.
inline constexpr std::size_t receive_octets_max = 2048;

/// The next message of the ICMPv6 or the frame socket; nothing when none is there, or when what
/// came was no whole message.
std::optional<Received> receive_icmpv6(const FileDescriptor& socket,
                                       std::span<std::uint8_t> buffer);
std::optional<Received> receive_frame(const FileDescriptor& socket, std::span<std::uint8_t> buffer);

/// Sends by the ICMPv6 socket. A `source` of :: leaves the choice to the kernel.
Result<void> send_icmpv6(const FileDescriptor& socket, const Ipv6& source, const Ipv6& destination,
                         Bytes octets);
/// Solicits every router of the link, the RA daemon of this machine included.
Result<void> solicit(const FileDescriptor& socket);

/// Solicits the routers of the link, but none of this machine.
Result<void> solicit_others(const FileDescriptor& socket);

/// Whether `received`, from the ICMPv6 socket, is the answer of this machine's own RA daemon to
/// solicit(): it goes from the interface's link-local address to the same address, over loopback.
bool is_own_answer(const Received& received);

}  // namespace porchlight::ra
