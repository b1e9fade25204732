#pragma once

#include <optional>
#include <vector>

#include "core/bytes.h"
#include "core/file_descriptor.h"
#include "core/result.h"

namespace porchlight::net {

/// One message between two of our processes: what kind, its octets, and descriptors that change
/// hands with it.
struct ChannelMessage {
    std::uint16_t kind = 0;
    Buffer body;
    std::vector<FileDescriptor> descriptors;
};

/// One end of a private, ordered, lossless pipe of messages between two of our processes (a Unix
/// SOCK_SEQPACKET pair). Bodies above 32 KiB travel in a memory file, and descriptors that one
/// packet can't hold come ahead in packets of their own, so a message is bound only by
/// `body_bytes_max` and `descriptors_max`; it arrives whole or not at all. Does not wait: a peer
/// that does not read for so long that the kernel's queue fills is as good as dead, and send() says
/// so.
class Channel {
  public:
    static constexpr std::size_t body_bytes_max = 4 << 20;
    /// A socket of each kind for each of 32 links and 64 workers, and as many again.
    static constexpr std::size_t descriptors_max = 8192;

    Channel() = default;
    explicit Channel(FileDescriptor socket) : socket_(std::move(socket)) {}
    /// Two connected ends, both non-blocking and closed on exec.
    static Result<std::pair<Channel, Channel>> pair();

    /// Fails with `unavailable` when the peer is gone or does not read.
    Result<void> send(std::uint16_t kind, Bytes body, const std::vector<int>& descriptors = {});
    /// The next message, or nothing when none is there. Fails with `unavailable` when the peer is
    /// gone, `malformed` on what no Channel sent.
    Result<std::optional<ChannelMessage>> receive();

    explicit operator bool() const { return bool(socket_); }
    int descriptor() const { return socket_.get(); }
    int release() { return socket_.release(); }

  private:
    FileDescriptor socket_;
    std::vector<FileDescriptor> came_ahead_;  // of the message whose last packet is yet to come
};

}  // namespace porchlight::net
