#include "forwarder/dot_connection.h"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "forwarder/some_root.h"

// What needs a server that answers is in tests/forwarder/test_upstream.py.

namespace porchlight::forwarder {
namespace {

/// A connection that never gets as far as being one.
struct Dialling {
    std::shared_ptr<Exchange> exchange() const {
        return std::make_shared<Exchange>(loop.get_executor(), dns::Question{{}, dns::type::ns});
    }
    /// Whether it is in flight: a connection that ends wakes whom it leaves without an answer.
    bool ends_with(Exchange& exchange) {
        bool woken = false;
        exchange.wake.expires_after(std::chrono::hours(1));
        exchange.wake.async_wait(
            [&](error_code ec) { woken = ec == asio::error::operation_aborted; });
        connection->stop();
        loop.poll();
        return woken;
    }

    mutable asio::io_context loop{1};
    Buffer root = some_root();
    std::shared_ptr<net::TlsClient> tls = *net::TlsClient::create({.roots_pem = root, .alpn = {}});
    std::shared_ptr<DotConnection> connection =
        DotConnection::open(loop.get_executor(), tls,
                            {.identity = "dns.example",
                             .address = Endpoint{Ipv4{{127, 0, 0, 1}}, 9},
                             .ttls = {},
                             .on_reading = [](auto) {}});
};

TEST_SUITE("forwarder/dot_connection") {
    TEST_CASE("who stops waiting is not woken any more") {
        Dialling dialling;
        const auto exchange = dialling.exchange();
        dialling.connection->forget(dialling.connection->ask(exchange), exchange);
        CHECK(!dialling.ends_with(*exchange));
    }

    TEST_CASE("forgetting a question leaves alone another one that has its ID by now") {
        Dialling dialling;
        DotConnection& connection = *dialling.connection;
        const auto first = dialling.exchange();
        const std::uint16_t id = connection.ask(first);
        connection.forget(id, first);
        std::shared_ptr<Exchange> second;
        for (bool same = false; !same;) {  // IDs are random: 65536 times on the average
            second = dialling.exchange();
            const std::uint16_t next = connection.ask(second);
            same = next == id;
            if (!same) connection.forget(next, second);
        }
        connection.forget(id, first);
        CHECK(dialling.ends_with(*second));
    }
}

}  // namespace
}  // namespace porchlight::forwarder
