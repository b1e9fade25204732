#include "forwarder/do53_listener.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "net/socket_address.h"

namespace porchlight::forwarder {
namespace {

constexpr std::size_t batch_max = 32;
constexpr std::size_t datagram_octets_max = 4096;  // larger queries are no queries
constexpr Leg leg_udp{.from_companion = true};

}  // namespace

bool is_loopback(const sockaddr_storage& from) {
    if (from.ss_family == AF_INET) {
        const auto& address = reinterpret_cast<const sockaddr_in&>(from);
        return ntohl(address.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    return from.ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(from).sin6_addr);
}

void Do53TcpListener::take(FileDescriptor socket, const IpAddress& peer, bool) {
    if (!porchlight::is_loopback(peer)) {
        ++sessions_.counters().do53_foreign;
        return;
    }
    sessions_.open(Stream(std::move(socket)), nullptr, {.stream = true, .from_companion = true});
}

/// Room for one recvmmsg() and one sendmmsg().
struct Do53UdpListener::Batch {
    struct Reply {
        std::size_t to;  // which message it answers
        std::size_t start;
        std::size_t end;
    };

    std::array<std::array<std::uint8_t, datagram_octets_max>, batch_max> octets;
    std::array<sockaddr_storage, batch_max> from;
    std::array<iovec, batch_max> parts;
    std::array<mmsghdr, batch_max> headers;
    std::array<Reply, batch_max> replies;
    Writer out;  // all replies of a batch, one behind the other

    std::size_t receive(int socket) {
        for (std::size_t i = 0; i < batch_max; ++i) {
            parts[i] = {octets[i].data(), octets[i].size()};
            headers[i] = {};
            headers[i].msg_hdr.msg_name = &from[i];
            headers[i].msg_hdr.msg_namelen = sizeof from[i];
            headers[i].msg_hdr.msg_iov = &parts[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
        const int count = ::recvmmsg(socket, headers.data(), batch_max, MSG_DONTWAIT, nullptr);
        return count < 0 ? 0 : static_cast<std::size_t>(count);
    }

    Bytes message(std::size_t which) const {
        return Bytes(octets[which]).first(headers[which].msg_len);
    }

    void send(int socket, std::size_t count) {
        std::array<mmsghdr, batch_max> answers;
        for (std::size_t i = 0; i < count; ++i) {
            const Reply& reply = replies[i];
            const auto octets_out = out.tail(reply.start).first(reply.end - reply.start);
            parts[i] = {octets_out.data(), octets_out.size()};
            answers[i] = headers[reply.to];
            answers[i].msg_hdr.msg_iov = &parts[i];
        }
        for (std::size_t sent = 0; sent < count;) {
            const int done = ::sendmmsg(socket, answers.data() + sent,
                                        static_cast<unsigned>(count - sent), MSG_DONTWAIT);
            if (done <= 0) return;  // a full socket: they ask again
            sent += static_cast<std::size_t>(done);
        }
    }
};

Do53UdpListener::Do53UdpListener(FileDescriptor socket, Poller& poller, Sessions& sessions)
    : socket_(std::make_shared<FileDescriptor>(std::move(socket))),
      poller_(poller),
      sessions_(sessions),
      batch_(std::make_unique_for_overwrite<Batch>()) {
    poller_.watch(socket_->get(), EPOLLIN, *this);
}

Do53UdpListener::~Do53UdpListener() {
    poller_.forget(socket_->get());
}

void Do53UdpListener::on_ready(std::uint32_t) {
    Batch& batch = *batch_;
    const std::size_t count = batch.receive(socket_->get());
    batch.out.truncate(0);
    std::size_t replies = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (!is_loopback(batch.from[i])) {
            ++sessions_.counters().do53_foreign;
            continue;
        }
        ++sessions_.counters().do53_queries;
        const std::size_t start = batch.out.size();
        const auto given = answer(batch.message(i), batch.out);
        if (given == Responder::Given::answered)
            batch.replies[replies++] = {i, start, batch.out.size()};
        else if (given == Responder::Given::not_known)
            look_up(batch, i);
    }
    batch.send(socket_->get(), replies);
}

/// The limit comes first, so that it holds for what the cache has too.
Responder::Given Do53UdpListener::answer(Bytes message, Writer& out) {
    Responder& responder = sessions_.responder();
    const Clock::time_point now = sessions_.now();
    switch (sessions_.admission().do53().judge(sessions_.limits(), now)) {
        case Do53Rate::Judgement::answer:
            break;
        case Do53Rate::Judgement::truncate:
            ++sessions_.counters().do53_truncated;
            return responder.truncate(message, leg_udp, now, out);
        case Do53Rate::Judgement::drop:
            ++sessions_.counters().do53_dropped;
            return Responder::Given::nothing;
    }
    return responder.answer(message, leg_udp, now, out);
}

void Do53UdpListener::look_up(const Batch& batch, std::size_t which) {
    const sockaddr_storage to = batch.from[which];
    const socklen_t to_size = batch.headers[which].msg_hdr.msg_namelen;
    sessions_.responder().find(leg_udp, [weak = std::weak_ptr(socket_), to, to_size](
                                            const KeptQuery& asked, const Found& found) {
        const auto socket = weak.lock();
        if (!socket) return;
        Writer out;
        Responder::write_found(asked, found, leg_udp, out);
        const Bytes answer = out.view();
        ::sendto(socket->get(), answer.data(), answer.size(), MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&to), to_size);
    });
}

}  // namespace porchlight::forwarder
