#include "net/doh_client.h"

#include <doctest/doctest.h>

#include "hex.h"
#include "tls_stream_server.h"

using namespace std::chrono_literals;

namespace porchlight::net {
namespace {

constexpr std::size_t preface_octets = 24;
const Buffer settings = hex("000000 04 00 00000000");

Buffer frame(std::string_view head, const Buffer& body) {
    Buffer all = hex(head);
    all.insert(all.end(), body.begin(), body.end());
    all[2] = static_cast<std::uint8_t>(body.size());
    return all;
}

/// RFC 7541: an indexed :status, then content-type as a literal.
Buffer headers(std::string_view status, std::string_view type) {
    Buffer block = hex(status);
    for (std::uint8_t octet : hex("0f10")) block.push_back(octet);
    block.push_back(static_cast<std::uint8_t>(type.size()));
    block.insert(block.end(), type.begin(), type.end());
    return frame("000000 01 04 00000001", block);
}

Buffer data(const Buffer& body) {
    return frame("000000 00 01 00000001", body);
}

awaitable<Result<Buffer>> connect_and_ask(TlsClient& client, Endpoint to,
                                          std::chrono::milliseconds within = 5s) {
    const std::string name = "dns.example";
    const std::string path = "/dns-query?dns=AAAB";
    const ServerIdentity identity = name;
    auto stream = co_await TlsStream::connect(client, to, identity, 5s);
    if (!stream) co_return stream.error();
    DohClient asking(**stream);
    co_return co_await asking.ask(name, path, within);
}

/// Asks a server that sends `frames` once it was asked, and then hears until the client leaves.
Result<Buffer> ask(const Buffer& frames, std::string alpn = "h2") {
    const TestAuthority authority;
    const auto talk = [&](SSL* ssl) {
        (void)read_exactly(ssl, preface_octets);
        write_all(ssl, text_of(frames));
        std::uint8_t octet = 0;
        while (SSL_read(ssl, &octet, 1) > 0) continue;
    };
    const TestServer server(authority.leaf({"dns.example"}), talk, {.alpn = std::move(alpn)});
    const Buffer roots = authority.root_pem();
    const auto client = std::move(*TlsClient::create({.roots_pem = roots, .alpn = {"h2", "dot"}}));
    return run(connect_and_ask(*client, server.endpoint()));
}

Buffer operator+(Buffer a, const Buffer& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

awaitable<std::vector<Result<Buffer>>> connect_and_ask_twice(TlsClient& client, Endpoint to) {
    const std::string name = "dns.example";
    const std::string path = "/dns-query?dns=AAAB";
    const ServerIdentity identity = name;
    std::vector<Result<Buffer>> answers;
    auto stream = co_await TlsStream::connect(client, to, identity, 5s);
    if (!stream) co_return answers;
    DohClient asking(**stream);
    for (int i = 0; i < 2; ++i) {
        Result<Buffer> answer = co_await asking.ask(name, path, 5s);
        answers.push_back(std::move(answer));
    }
    co_return answers;
}

TEST_SUITE("net/doh_client") {
    TEST_CASE("a refusal and then an answer, on one connection") {
        const TestAuthority authority;
        const auto talk = [&](SSL* ssl) {
            (void)read_exactly(ssl, preface_octets);
            write_all(ssl, text_of(settings + headers("8d", "text/plain") + data(hex("00"))));
            Buffer second = headers("88", "application/dns-message") + data(hex("010203"));
            second[8] = 3;                  // the stream, of HEADERS
            second[second.size() - 4] = 3;  // and of DATA
            std::uint8_t octet = 0;
            // The second request's HEADERS (RFC 9113 section 4.1): its stream is 3.
            Buffer last;
            while (SSL_read(ssl, &octet, 1) > 0) {
                last.push_back(octet);
                if (last.size() > 9) last.erase(last.begin());
                if (last.size() == 9 && last[3] == 1 && last[8] == 3) break;
            }
            write_all(ssl, text_of(second));
            while (SSL_read(ssl, &octet, 1) > 0) continue;
        };
        const TestServer server(authority.leaf({"dns.example"}), talk, {.alpn = "h2"});
        const Buffer roots = authority.root_pem();
        const auto client = std::move(*TlsClient::create({.roots_pem = roots, .alpn = {"h2"}}));
        const auto answers = run(connect_and_ask_twice(*client, server.endpoint()));
        REQUIRE(answers.size() == 2);
        CHECK(answers[0].error().code == Errc::refused);
        REQUIRE(answers[1]);
        CHECK(*answers[1] == hex("010203"));
    }

    TEST_CASE("a response of status 200 and the right type gives its body") {
        const auto answer =
            ask(settings + headers("88", "application/dns-message") + data(hex("010203")));
        REQUIRE(answer);
        CHECK(*answer == hex("010203"));
    }

    TEST_CASE("another status, another type, a reset: the server refuses") {
        CHECK(ask(settings + headers("8d", "text/plain") + data({})).error().code == Errc::refused);
        CHECK(ask(settings + headers("88", "text/html") + data(hex("00"))).error().code ==
              Errc::refused);
        CHECK(ask(settings + hex("000004 03 00 00000001 00000007")).error().code == Errc::refused);
    }

    TEST_CASE("a body above what a DNS message has is not read to its end") {
        Buffer frames = settings + headers("88", "application/dns-message");
        for (int i = 0; i < 5; ++i)
            frames = frames + hex("004000 00 00 00000001") + Buffer(0x4000, 0);
        CHECK(ask(frames).error().code == Errc::malformed);
    }

    TEST_CASE("a server that sends an octet now and then gets no more time than a silent one") {
        const TestAuthority authority;
        const auto drip = [](SSL* ssl) {
            const Buffer pings = settings + hex("000008 06 00 00000000 0000000000000000");
            for (std::size_t i = 0; i < 1000; ++i) {
                if (!write_all(ssl, text_of(Bytes(pings).subspan(i % pings.size(), 1)))) return;
                std::this_thread::sleep_for(10ms);
            }
        };
        const TestServer server(authority.leaf({"dns.example"}), drip, {.alpn = "h2"});
        const Buffer roots = authority.root_pem();
        const auto client = std::move(*TlsClient::create({.roots_pem = roots, .alpn = {"h2"}}));
        const auto answer = run(connect_and_ask(*client, server.endpoint(), 300ms));
        REQUIRE(!answer);
        CHECK(answer.error().code == Errc::timeout);
        CHECK(answer.error().message == "no answer after 300ms");
    }

    TEST_CASE("who agreed on something else, or speaks no HTTP/2, is not asked on") {
        CHECK(ask(settings, "dot").error().code == Errc::refused);
        const std::string_view http1 = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        const Bytes octets = bytes_of(http1);
        CHECK(!ask({octets.begin(), octets.end()}));
    }
}

}  // namespace
}  // namespace porchlight::net
