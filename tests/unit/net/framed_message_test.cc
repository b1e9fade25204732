#include "net/framed_message.h"

#include <doctest/doctest.h>

#include "hex.h"
#include "tls_stream_server.h"

using namespace std::chrono_literals;

namespace porchlight::net {
namespace {

awaitable<Result<Buffer>> connect_and_read(TlsClient& client, Endpoint to) {
    const ServerIdentity identity = std::string("dns.example");
    auto stream = co_await TlsStream::connect(client, to, identity, 5s);
    if (!stream) co_return stream.error();
    Buffer pending;
    co_return co_await read_message(**stream, pending, 300ms);
}

TEST_SUITE("net/framed_message") {
    TEST_CASE("a server that sends an octet now and then gets no more time than a silent one") {
        const TestAuthority authority;
        const auto drip = [](SSL* ssl) {
            for (int i = 0; i < 1000 && write_all(ssl, "\xff"); ++i)
                std::this_thread::sleep_for(10ms);
        };
        const TestServer server(authority.leaf({"dns.example"}), drip);
        const Buffer roots = authority.root_pem();
        const auto client = std::move(*TlsClient::create({.roots_pem = roots, .alpn = {}}));
        const auto message = run(connect_and_read(*client, server.endpoint()));
        REQUIRE(!message);
        CHECK(message.error().code == Errc::timeout);
    }

    TEST_CASE("a message stands behind its length, and what follows stays") {
        CHECK(framed(hex("010203")) == hex("0003 010203"));
        CHECK(framed({}) == hex("0000"));
        Buffer pending = hex("0002 0102 0001 03 00");
        Buffer message;
        CHECK(take_message(pending, message));
        CHECK(message == hex("0102"));
        CHECK(take_message(pending, message));
        CHECK(message == hex("03"));
        CHECK(!take_message(pending, message));
        CHECK(pending == hex("00"));
    }

    TEST_CASE("what is not whole is not taken") {
        for (const char* part : {"", "00", "0002", "0002 01"}) {
            Buffer pending = hex(part);
            Buffer message;
            CAPTURE(part);
            CHECK(!take_message(pending, message));
            CHECK(pending == hex(part));
        }
    }
}

}  // namespace
}  // namespace porchlight::net
