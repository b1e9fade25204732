#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/address.h"
#include "core/bytes.h"
#include "core/file_descriptor.h"
#include "core/result.h"

namespace porchlight::net {

// UDP for one who must not hold the port that he speaks from: a DHCP client has it already, and
// would miss what is taken from it. Raw sockets get a copy of what comes and leave the port alone.
// They need CAP_NET_RAW; opening fails with `denied` without it, `unavailable` while there is no
// such interface. All are non-blocking and closed on exec.

/// Frames of IPv4 that come in by the interface for UDP port `port`, also for an address that this
/// machine does not have (yet); sends to everybody on the link, from any address.
Result<FileDescriptor> open_packet_socket(const std::string& interface, std::uint16_t port);
/// Sends IPv4 from `source`, an address of the interface, out of that interface; what is for
/// everybody goes to the programs of this machine too, which a packet socket never reaches.
Result<FileDescriptor> open_raw_v4_sender(const std::string& interface, const Ipv4& source);
/// IPv4 datagrams for UDP port `port` of this machine by any interface, so also from its own
/// programs.
Result<FileDescriptor> open_raw_v4_receiver(std::uint16_t port);
/// Sends and receives by IPv6 on the interface.
Result<FileDescriptor> open_raw_v6(const std::string& interface);

/// Who sent what. `payload` borrows from the buffer that was received into.
struct RawReceived {
    Endpoint from;
    Buffer hardware_address;  // of the sender on the link, where the socket tells it
    std::uint16_t to_port = 0;
    Bytes payload;
};

/// The next datagram of a packet socket or raw receiver of IPv4, or of a raw socket of IPv6;
/// nothing when none is there or what came is no whole UDP.
std::optional<RawReceived> receive_v4(const FileDescriptor& socket, std::span<std::uint8_t> buffer);
std::optional<RawReceived> receive_v6(const FileDescriptor& socket, std::span<std::uint8_t> buffer);

/// To everybody on the link of a packet socket, from 0.0.0.0.
Result<void> broadcast_frame(const FileDescriptor& socket, std::uint16_t from_port,
                             std::uint16_t to_port, Bytes payload);
/// To everybody on the link of a raw sender.
Result<void> broadcast_v4(const FileDescriptor& socket, std::uint16_t from_port,
                          std::uint16_t to_port, Bytes payload);
Result<void> send_v6(const FileDescriptor& socket, std::uint16_t from_port, const Endpoint& to,
                     Bytes payload);

}  // namespace porchlight::net
