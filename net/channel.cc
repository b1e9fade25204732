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

#include "core/reader.h"
#include "core/writer.h"

namespace porchlight::net {
namespace {

/// Every packet: kind, then how the body travels, then the body where it travels inside.
enum class Travels : std::uint8_t { inside = 0, as_memory_file = 1 };

constexpr std::size_t header_bytes = 3;
constexpr std::size_t inside_bytes_max = 32768;

using ControlBuffer = std::array<char, CMSG_SPACE(sizeof(int) * (Channel::descriptors_max + 1))>;

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
    Writer packet;
    packet.u16(kind);
    packet.u8(static_cast<std::uint8_t>(inside ? Travels::inside : Travels::as_memory_file));
    if (inside) packet.bytes(body);

    const Bytes octets = packet.view();
    iovec part{const_cast<std::uint8_t*>(octets.data()), octets.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) ControlBuffer control{};
    if (!passed.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = CMSG_SPACE(sizeof(int) * passed.size());
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * passed.size());
        std::memcpy(CMSG_DATA(rights), passed.data(), sizeof(int) * passed.size());
    }
    if (::sendmsg(socket_.get(), &header, MSG_NOSIGNAL) < 0) return gone("cannot send a message");
    return {};
}

Result<std::optional<ChannelMessage>> Channel::receive() {
    Buffer packet(header_bytes + inside_bytes_max);
    iovec part{packet.data(), packet.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) ControlBuffer control{};
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
    if (got < 0) {
        if (errno == EAGAIN || errno == EINTR) return std::optional<ChannelMessage>();
        return gone("cannot receive a message");
    }
    if (got == 0) return Error{Errc::unavailable, "the other end is closed"};

    ChannelMessage message;
    message.descriptors = take_descriptors(header);
    packet.resize(static_cast<std::size_t>(got));
    Reader in(packet);
    message.kind = in.u16();
    const auto travels = static_cast<Travels>(in.u8());
    const Bytes inside = in.rest();
    if (!in.finished() || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return Error{Errc::malformed, "a message came damaged"};
    if (travels == Travels::inside) {
        message.body.assign(inside.begin(), inside.end());
        return std::optional(std::move(message));
    }
    if (travels != Travels::as_memory_file || message.descriptors.empty())
        return Error{Errc::malformed, "a message came without its body"};
    auto body = read_memory_file(message.descriptors.back());
    if (!body) return body.error();
    message.descriptors.pop_back();
    message.body = std::move(*body);
    return std::optional(std::move(message));
}

}  // namespace porchlight::net
