#include "net/connect.h"

#include <doctest/doctest.h>
#include <netinet/tcp.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace porchlight::net {
namespace {

using asio::ip::tcp;

TEST_SUITE("net/connect") {
    TEST_CASE("a connection has no delay, and gives up a peer that acknowledges nothing") {
        asio::io_context loop{1};
        tcp::acceptor peer(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        const Endpoint to{Ipv4{{127, 0, 0, 1}}, peer.local_endpoint().port()};
        bool connected = false;
        const auto connect = [&]() -> awaitable<void> {
            auto socket = co_await connect_tcp(to, std::chrono::seconds(2));
            if (!socket) co_return;
            connected = true;
            tcp::no_delay no_delay;
            socket->get_option(no_delay);
            CHECK(no_delay.value());
            unsigned limit_ms = 0;
            socklen_t size = sizeof limit_ms;
            const int descriptor = socket->native_handle();
            ::getsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, &size);
            CHECK(std::chrono::milliseconds(limit_ms) == unacknowledged_max);
        };
        asio::co_spawn(loop, connect, asio::detached);
        loop.run();
        CHECK(connected);
    }

    TEST_CASE("a connection to oneself can come from the very address that it goes to") {
        asio::io_context loop{1};
        // Of 127.0.0.0/8 the kernel would choose 127.0.0.1 for any but the address itself.
        tcp::acceptor listener(loop, tcp::endpoint(asio::ip::make_address_v4("127.0.0.9"), 0));
        const Endpoint to{Ipv4{{127, 0, 0, 9}}, listener.local_endpoint().port()};
        std::string from;
        const auto connect = [&]() -> awaitable<void> {
            auto socket = co_await connect_tcp(to, std::chrono::seconds(2), Source::same_address);
            if (socket) from = socket->local_endpoint().address().to_string();
        };
        asio::co_spawn(loop, connect, asio::detached);
        loop.run();
        CHECK(from == "127.0.0.9");
    }
}

}  // namespace
}  // namespace porchlight::net
