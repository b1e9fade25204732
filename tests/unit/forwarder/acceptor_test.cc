#include "forwarder/acceptor.h"

#include <doctest/doctest.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <vector>

#include "forwarder/poller.h"
#include "net/asio.h"
#include "net/socket_address.h"

namespace porchlight::forwarder {
namespace {

const IpAddress loopback{Ipv4{{127, 0, 0, 1}}};

struct Listening {
    FileDescriptor socket;
    net::SocketAddress address;

    explicit Listening(int backlog)
        : socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
          address(Endpoint{loopback, 0}) {
        REQUIRE(::bind(socket.get(), address.get(), address.size()) == 0);
        REQUIRE(::listen(socket.get(), backlog) == 0);
        REQUIRE(::getsockname(socket.get(), address.get(), address.size_pointer()) == 0);
    }
};

FileDescriptor connected(const net::SocketAddress& to) {
    FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(socket.get(), to.get(), to.size()) == 0);
    return socket;
}

/// Keeps what it is given.
class Keeping : public Acceptor {
  public:
    using Acceptor::Acceptor;
    std::vector<FileDescriptor> taken;

  private:
    void take(FileDescriptor socket, const IpAddress& peer, bool is_own) override {
        CHECK(peer == loopback);
        CHECK(is_own);
        taken.push_back(std::move(socket));
    }
};

}  // namespace

TEST_SUITE("forwarder/acceptor") {
    TEST_CASE("an answer does not wait until more is to be said") {
        Listening listening(8);
        asio::io_context loop;
        Poller poller(loop.get_executor());
        Counters counters;
        const FileDescriptor client = connected(listening.address);
        Keeping acceptor(std::move(listening.socket), poller, counters);
        acceptor.on_ready(EPOLLIN);
        REQUIRE(acceptor.taken.size() == 1);
        int is_set = 0;
        socklen_t size = sizeof is_set;
        REQUIRE(::getsockopt(acceptor.taken[0].get(), IPPROTO_TCP, TCP_NODELAY, &is_set, &size) ==
                0);
        CHECK(is_set == 1);
    }

    TEST_CASE("many who come at once are taken in turns with those who are there") {
        Listening listening(128);
        asio::io_context loop;
        Poller poller(loop.get_executor());
        Counters counters;
        std::vector<FileDescriptor> clients;
        for (int i = 0; i < 50; ++i) clients.push_back(connected(listening.address));
        Keeping acceptor(std::move(listening.socket), poller, counters);
        acceptor.on_ready(EPOLLIN);
        CHECK(acceptor.taken.size() == 32);
        acceptor.on_ready(EPOLLIN);
        CHECK(acceptor.taken.size() == 50);
    }
}

}  // namespace porchlight::forwarder
