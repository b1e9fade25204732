#include "forwarder/acceptor.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "net/socket_address.h"

namespace porchlight::forwarder {
namespace {

constexpr int accepts_per_turn_max = 32;

bool is_own_connection(int descriptor, const Endpoint& peer) {
    net::SocketAddress local;
    if (::getsockname(descriptor, local.get(), local.size_pointer()) != 0) return false;
    const auto endpoint = local.endpoint();
    return endpoint && endpoint->address == peer.address;
}

}  // namespace

Acceptor::Acceptor(FileDescriptor socket, Poller& poller, Counters& counters)
    : socket_(std::move(socket)),
      spare_(::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0)),
      poller_(poller),
      counters_(counters) {
    poller_.watch(socket_.get(), EPOLLIN, *this);
}

Acceptor::~Acceptor() {
    // The spare descriptor keeps the socket open, so closing alone would not end the watch.
    poller_.forget(socket_.get());
}

void Acceptor::on_ready(std::uint32_t) {
    for (int i = 0; i < accepts_per_turn_max; ++i)
        if (!accept_one()) return;
}

bool Acceptor::accept_one() {
    net::SocketAddress from;
    FileDescriptor accepted(
        ::accept4(socket_.get(), from.get(), from.size_pointer(), SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!accepted) {
        if (errno == EMFILE || errno == ENFILE) shed_one();
        return errno == ECONNABORTED;
    }
    const auto peer = from.endpoint();
    if (!peer) return true;
    // Without it the flight with the ticket waits for the client's delayed acknowledgement.
    const int one = 1;
    ::setsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const bool is_own = is_own_connection(accepted.get(), *peer);
    take(std::move(accepted), peer->address, is_own);
    return true;
}

/// Without a descriptor left a connection would wait in the backlog and wake us for ever.
void Acceptor::shed_one() {
    ++counters_.accepts_failed;
    spare_.reset();
    spare_ = FileDescriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    // In the connection's place at once: another worker waits for a descriptor, too.
    if (spare_)
        ::dup3(socket_.get(), spare_.get(), O_CLOEXEC);
    else
        spare_ = FileDescriptor(::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0));
    errno = EMFILE;
}

}  // namespace porchlight::forwarder
