#include "net/channel.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

#include "core/reader.h"
#include "core/writer.h"

namespace porchlight::net {
namespace {

/// Every packet: kind, how the body travels, how many of the message's descriptors came in packets
/// before, then the body where it travels inside. A packet before which none came begins a new
/// message: whatever came ahead of another is of one that was never finished.
enum class Travels : std::uint8_t { inside = 0, as_memory_file = 1, in_a_later_packet = 2 };

constexpr std::size_t header_bytes = 5;
constexpr std::size_t inside_bytes_max = 32768;
/// The kernel takes 253 at once.
constexpr std::size_t descriptors_per_packet = 64;

using ControlBuffer = std::array<char, CMSG_SPACE(sizeof(int) * descriptors_per_packet)>;

Error gone(const char* doing) {
    return {Errc::unavailable, std::string(doing) + ": " + std::strerror(errno)};
}

Result<FileDescriptor> memory_file(Bytes body) {
    FileDescriptor file(memfd_create("porchlight", MFD_CLOEXEC));
    if (!file) return gone("cannot make a memory file");
    while (!body.empty()) {
        const ssize_t wrote = ::write(file.get(), body.data(), body.size());
        if (wrote <= 0) return gone("cannot fill a memory file");
        body = body.subspan(static_cast<std::size_t>(wrote));
    }
    return file;
}

Result<Buffer> read_memory_file(const FileDescriptor& file) {
    // Only a memory file is surely read without waiting for whoever sent it.
    if (::fcntl(file.get(), F_GET_SEALS) < 0)
        return Error{Errc::malformed, "a message's body is in no memory file"};
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0 || facts.st_size < 0 ||
        static_cast<std::size_t>(facts.st_size) > Channel::body_bytes_max)
        return Error{Errc::malformed, "a message's memory file has no sane size"};
    Buffer body(static_cast<std::size_t>(facts.st_size));
    std::size_t have = 0;
    while (have < body.size()) {
        const ssize_t got =
            ::pread(file.get(), body.data() + have, body.size() - have, static_cast<off_t>(have));
        if (got <= 0) return Error{Errc::malformed, "a message's memory file ends too early"};
        have += static_cast<std::size_t>(got);
    }
    return body;
}

std::vector<FileDescriptor> take_descriptors(msghdr& header) {
    std::vector<FileDescriptor> taken;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr;
         part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            taken.emplace_back(fd);
        }
    }
    return taken;
}

Buffer packet_of(std::uint16_t kind, Travels travels, std::size_t ahead, Bytes body) {
    Writer packet;
    packet.u16(kind);
    packet.u8(static_cast<std::uint8_t>(travels));
    packet.u16(static_cast<std::uint16_t>(ahead));
    packet.bytes(body);
    const Bytes octets = packet.view();
    return {octets.begin(), octets.end()};
}

bool send_packet(const FileDescriptor& socket, Bytes octets, std::span<const int> passed) {
    iovec part{const_cast<std::uint8_t*>(octets.data()), octets.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) ControlBuffer control{};
    if (!passed.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = CMSG_SPACE(passed.size_bytes());
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(passed.size_bytes());
        std::memcpy(CMSG_DATA(rights), passed.data(), passed.size_bytes());
    }
    return ::sendmsg(socket.get(), &header, MSG_NOSIGNAL) >= 0;
}

struct Packet {
    std::uint16_t kind = 0;
    Travels travels = Travels::inside;
    std::size_t ahead = 0;
    Buffer body;
    std::vector<FileDescriptor> descriptors;
};

/// The next packet, or nothing when none is there.
Result<std::optional<Packet>> receive_packet(const FileDescriptor& socket) {
    Buffer octets(header_bytes + inside_bytes_max);
    iovec part{octets.data(), octets.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) ControlBuffer control{};
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(socket.get(), &header, MSG_CMSG_CLOEXEC);
    if (got < 0) {
        if (errno == EAGAIN || errno == EINTR) return std::optional<Packet>();
        return gone("cannot receive a message");
    }
    if (got == 0) return Error{Errc::unavailable, "the other end is closed"};

    Packet packet;
    packet.descriptors = take_descriptors(header);
    Reader in(Bytes(octets).first(static_cast<std::size_t>(got)));
    packet.kind = in.u16();
    packet.travels = static_cast<Travels>(in.u8());
    packet.ahead = in.u16();
    const Bytes inside = in.rest();
    if (!in.finished() || packet.travels > Travels::in_a_later_packet ||
        (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return Error{Errc::malformed, "a message came damaged"};
    packet.body.assign(inside.begin(), inside.end());
    return std::optional(std::move(packet));
}

}  // namespace

Result<std::pair<Channel, Channel>> Channel::pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return gone("cannot make a channel");
    return std::pair(Channel(FileDescriptor(ends[0])), Channel(FileDescriptor(ends[1])));
}

Result<void> Channel::send(std::uint16_t kind, Bytes body, const std::vector<int>& descriptors) {
    if (body.size() > body_bytes_max || descriptors.size() > descriptors_max)
        return Error{Errc::refused, "a message is too large for a channel"};
    std::vector<int> passed = descriptors;
    FileDescriptor file;
    const bool inside = body.size() <= inside_bytes_max;
    if (!inside) {
        auto made = memory_file(body);
        if (!made) return made.error();
        file = std::move(*made);
        passed.push_back(file.get());
    }
    std::span<const int> left(passed);
    const auto sent = [&] { return passed.size() - left.size(); };
    for (; left.size() > descriptors_per_packet; left = left.subspan(descriptors_per_packet)) {
        const Buffer packet = packet_of(kind, Travels::in_a_later_packet, sent(), {});
        if (!send_packet(socket_, packet, left.first(descriptors_per_packet)))
            return gone("cannot send a message's descriptors");
    }
    const Buffer packet = inside ? packet_of(kind, Travels::inside, sent(), body)
                                 : packet_of(kind, Travels::as_memory_file, sent(), {});
    if (!send_packet(socket_, packet, left)) return gone("cannot send a message");
    return {};
}

Result<std::optional<ChannelMessage>> Channel::receive() {
    for (;;) {
        auto received = receive_packet(socket_);
        if (!received) return received.error();
        if (!*received) return std::optional<ChannelMessage>();
        Packet& packet = **received;
        if (packet.ahead == 0) came_ahead_.clear();
        if (packet.ahead != came_ahead_.size() ||
            came_ahead_.size() + packet.descriptors.size() > descriptors_max + 1)
            return Error{Errc::malformed, "a message's descriptors came damaged"};
        std::move(packet.descriptors.begin(), packet.descriptors.end(),
                  std::back_inserter(came_ahead_));
        if (packet.travels == Travels::in_a_later_packet) continue;

        ChannelMessage message{packet.kind, std::move(packet.body), std::exchange(came_ahead_, {})};
        if (packet.travels == Travels::inside) return std::optional(std::move(message));
        if (message.descriptors.empty())
            return Error{Errc::malformed, "a message came without its body"};
        auto body = read_memory_file(message.descriptors.back());
        if (!body) return body.error();
        message.descriptors.pop_back();
        message.body = std::move(*body);
        return std::optional(std::move(message));
    }
}

}  // namespace porchlight::net
