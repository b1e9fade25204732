#include "net/tls_stream.h"

#include <doctest/doctest.h>

#include "tls_stream_server.h"

using namespace std::chrono_literals;

namespace porchlight::net {
namespace {

class FixedTime : public TimeSource {
  public:
    explicit FixedTime(WallTime wall) : wall_(wall) {}
    Clock::time_point now() const override { return Clock::now(); }
    WallTime wall() const override { return wall_; }
    bool wall_trusted() const override { return true; }
    void move(std::chrono::seconds by) { wall_ += by; }

  private:
    WallTime wall_;
};

WallTime present() {
    return SystemTime().wall();
}

void echo_once(SSL* ssl) {
    write_all(ssl, read_exactly(ssl, 5));
}

std::unique_ptr<TlsClient> client_of(const TestAuthority& authority,
                                     const TimeSource* time = nullptr, bool dates_count = true) {
    const Buffer roots = authority.root_pem();
    auto client = TlsClient::create({roots, {"dot"}, time, dates_count});
    REQUIRE(client);
    return std::move(*client);
}

/// A stream may not outlive its event loop, so what is handed out is what it knew.
awaitable<Result<TlsStream::Facts>> connect_and_close(TlsClient& client, Endpoint to,
                                                      ServerIdentity identity,
                                                      std::chrono::milliseconds within) {
    const auto stream = co_await TlsStream::connect(client, to, identity, within);
    if (!stream) co_return stream.error();
    co_return (*stream)->facts();
}

Result<TlsStream::Facts> connect_once(TlsClient& client, const TestServer& server,
                                      const ServerIdentity& identity = "dns.example") {
    return run(connect_and_close(client, server.endpoint(), identity, 2s));
}

/// Connects, sends "hello", reads the echo and what follows it, so that tickets are seen.
awaitable<Result<std::string>> say_hello(TlsClient& client, Endpoint to, TlsStream::Facts& facts,
                                         ServerIdentity identity = "dns.example") {
    auto stream = co_await TlsStream::connect(client, to, identity, 2s);
    if (!stream) co_return stream.error();
    facts = (*stream)->facts();
    const auto sent = co_await (*stream)->write(bytes_of("hello"), 2s);
    if (!sent) co_return sent.error();
    std::string heard;
    for (;;) {
        std::uint8_t octets[16];
        const std::span<std::uint8_t> room(octets);
        const auto got = co_await (*stream)->read_some(room, 2s);
        if (!got) co_return got.error();
        if (*got == 0) co_return heard;
        heard += text_of(Bytes(octets).first(*got));
    }
}

awaitable<Result<std::size_t>> read_nothing(TlsClient& client, Endpoint to) {
    auto stream = co_await TlsStream::connect(client, to, "dns.example", 2s);
    if (!stream) co_return stream.error();
    std::uint8_t octets[16];
    const std::span<std::uint8_t> room(octets);
    auto got = co_await (*stream)->read_some(room, 100ms);
    if (got || got.error().code != Errc::timeout) co_return got;
    // The deadline closed the connection: what follows fails at once.
    got = co_await (*stream)->read_some(room, 100ms);
    if (got || got.error().code != Errc::unavailable) co_return Error{Errc::internal, "still open"};
    co_return Error{Errc::timeout, "as it should"};
}

/// The second while the first is there.
awaitable<Result<std::pair<TlsStream::Facts, TlsStream::Facts>>> connect_twice(TlsClient& client,
                                                                               Endpoint to) {
    const auto one = co_await TlsStream::connect(client, to, "dns.example", 2s);
    if (!one) co_return one.error();
    const auto other = co_await TlsStream::connect(client, to, "dns.example", 2s);
    if (!other) co_return other.error();
    co_return std::pair((*one)->facts(), (*other)->facts());
}

TEST_SUITE("net/tls_stream") {
    TEST_CASE("a server with the right name is authenticated, and octets go both ways") {
        const TestAuthority authority;
        TestServer server(authority.leaf({"dns.example"}), echo_once, {TLS1_3_VERSION, "dot"});
        const auto client = client_of(authority);
        TlsStream::Facts facts;
        const auto heard = run(say_hello(*client, server.endpoint(), facts));
        REQUIRE(heard);
        CHECK(*heard == "hello");
        CHECK(facts.version == "TLSv1.3");
        CHECK(facts.alpn == "dot");
        CHECK(!facts.resumed);
        CHECK(!facts.peer_certificate.empty());
    }

    TEST_CASE("a trailing dot in the name and a whole-label wildcard are fine") {
        const TestAuthority authority;
        TestServer server(authority.leaf({"*.home.example"}), echo_once);
        const auto client = client_of(authority);
        CHECK(connect_once(*client, server, "dns.home.example."));
    }

    TEST_CASE("a server that can't be authenticated is refused, never merely unavailable") {
        const TestAuthority authority;
        const TestAuthority stranger;
        const auto client = client_of(authority);
        const auto refused = [&](const PemPair& pair, const char* name = "dns.example") {
            TestServer server(pair, echo_once);
            const auto stream = connect_once(*client, server, name);
            REQUIRE(!stream);
            INFO(stream.error().message);
            CHECK(stream.error().code == Errc::refused);
            return stream.error().message;
        };
        CHECK(refused(authority.leaf({"other.example"})).find("mismatch") != std::string::npos);
        CHECK(refused(authority.leaf({"dns.example"}, -48h, -24h)).find("expired") !=
              std::string::npos);
        refused(authority.leaf({"dns.example"}, 24h, 48h));                // not yet valid
        refused(authority.leaf({"d*.home.example"}), "dns.home.example");  // part of a label
        refused(authority.leaf({}, -1h, 24h, "dns.example"));    // the name in the subject alone
        refused(stranger.leaf({"dns.example"}));                 // a chain to nobody we know
        refused(authority.leaf({"IP:127.0.0.1"}), "127.0.0.1");  // addresses are no names
        refused(authority.leaf({"dns.example"}), "");            // no name at all
    }

    TEST_CASE("a server that only its address led to is authenticated by that address") {
        const TestAuthority authority;
        const auto client = client_of(authority);
        const IpAddress v4 = *parse_address("192.0.2.53");
        const IpAddress v6 = *parse_address("2001:db8::53");
        const PemPair both = authority.leaf({"dns.example", "IP:192.0.2.53", "IP:2001:db8::53"});
        TestServer server(both, echo_once);
        // It need not be the address of the connection, which is on loopback here.
        CHECK(connect_once(*client, server, v4));
        CHECK(connect_once(*client, server, v6));
        const auto refused = [&](const IpAddress& address) {
            const auto stream = connect_once(*client, server, address);
            return !stream && stream.error().code == Errc::refused;
        };
        CHECK(refused(*parse_address("192.0.2.54")));
        CHECK(refused(*parse_address("2001:db8::54")));
        TestServer named(authority.leaf({"dns.example"}), echo_once);
        const auto stream = connect_once(*client, named, v4);
        REQUIRE(!stream);
        CHECK(stream.error().code == Errc::refused);
    }

    TEST_CASE("where no proof is asked for anybody will do, and no ticket becomes one") {
        const TestAuthority authority;
        const TestAuthority stranger;
        TestServer server(stranger.leaf({"other.example"}), echo_once);
        const auto client = client_of(authority);
        TlsStream::Facts facts;
        const auto hello = [&](ServerIdentity identity) {
            return run(say_hello(*client, server.endpoint(), facts, std::move(identity)));
        };
        CHECK(hello(Unauthenticated{}));
        CHECK(hello(Unauthenticated{}));
        CHECK(facts.resumed);  // so there are tickets
        for (const ServerIdentity& identity :
             {ServerIdentity("other.example"), ServerIdentity(*parse_address("127.0.0.1"))}) {
            const auto stream = hello(identity);
            REQUIRE(!stream);
            CHECK(stream.error().code == Errc::refused);
        }
    }

    TEST_CASE("who only looks comes to the end of the handshake, and hears what is not proved") {
        const TestAuthority authority, stranger;
        const Buffer roots = authority.root_pem();
        const auto client =
            TlsClient::create({.roots_pem = roots, .alpn = {"dot"}, .finishes_unproved = true});
        REQUIRE(client);
        TestServer server(authority.leaf({"dns.example"}), echo_once, {TLS1_3_VERSION, "dot"});
        const auto hello = [&](const TestServer& to, const ServerIdentity& identity) {
            TlsStream::Facts facts;
            const auto heard = run(say_hello(**client, to.endpoint(), facts, identity));
            REQUIRE(heard);
            CHECK(*heard == "hello");
            return facts.why_unproved;
        };
        CHECK(hello(server, "dns.example").empty());
        const std::string other = hello(server, "other.example");
        CHECK(other == "certificate not accepted: hostname mismatch");
        CHECK(hello(server, *parse_address("192.0.2.1")) ==
              "certificate not accepted: IP address mismatch");
        CHECK(hello(server, Unauthenticated()).empty());
        TestServer strange(stranger.leaf({"dns.example"}), echo_once, {TLS1_3_VERSION, "dot"});
        CHECK(hello(strange, "dns.example").starts_with("certificate not accepted"));
        // A ticket proves what the certificate proved, and no more.
        CHECK(hello(server, "other.example") == other);
    }

    TEST_CASE("dates are judged by the given time, or left out when they don't count") {
        const TestAuthority authority;
        TestServer server(authority.leaf({"dns.example"}), echo_once);
        const FixedTime next_month(present() + 240h - 48h);
        const FixedTime in_1970(WallTime{});
        CHECK(!connect_once(*client_of(authority, &next_month), server));
        CHECK(!connect_once(*client_of(authority, &in_1970), server));
        CHECK(connect_once(*client_of(authority, &in_1970, false), server));
        // The name still counts.
        const auto other =
            connect_once(*client_of(authority, &in_1970, false), server, "other.example");
        REQUIRE(!other);
        CHECK(other.error().code == Errc::refused);
    }

    TEST_CASE("a ticket resumes the next connection, in both versions") {
        const TestAuthority authority;
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            CAPTURE(version);
            TestServer server(authority.leaf({"dns.example"}), echo_once, {version, ""});
            const auto client = client_of(authority);
            TlsStream::Facts first;
            TlsStream::Facts second;
            REQUIRE(run(say_hello(*client, server.endpoint(), first)));
            REQUIRE(run(say_hello(*client, server.endpoint(), second)));
            CHECK(!first.resumed);
            CHECK(second.resumed);
            CHECK(second.peer_certificate == first.peer_certificate);
        }
    }

    TEST_CASE("a ticket is used once, so that nobody sees that it is the same client") {
        const TestAuthority authority;
        int served = 0;
        const auto talk = [&](SSL* ssl) {
            if (++served == 1) echo_once(ssl);
        };
        TestServer server(authority.leaf({"dns.example"}), talk, {.one_ticket = true});
        const auto client = client_of(authority);
        TlsStream::Facts first;
        REQUIRE(run(say_hello(*client, server.endpoint(), first)));
        CHECK(!first.resumed);
        const auto next = run(connect_twice(*client, server.endpoint()));
        REQUIRE(next);
        CHECK(next->first.resumed);
        CHECK(!next->second.resumed);
    }

    TEST_CASE("a ticket dies with the certificate that it stands for") {
        const TestAuthority authority;
        TestServer server(authority.leaf({"dns.example"}), echo_once);
        FixedTime time(present());
        const auto client = client_of(authority, &time);
        TlsStream::Facts facts;
        REQUIRE(run(say_hello(*client, server.endpoint(), facts)));
        time.move(25h);
        const auto later = run(say_hello(*client, server.endpoint(), facts));
        REQUIRE(!later);
        CHECK(later.error().code == Errc::refused);
    }

    TEST_CASE("a ticket is for the name that was authenticated") {
        const TestAuthority authority;
        TestServer server(authority.leaf({"dns.example"}), echo_once);
        const auto client = client_of(authority);
        TlsStream::Facts facts;
        REQUIRE(run(say_hello(*client, server.endpoint(), facts)));
        const auto other = connect_once(*client, server, "other.example");
        REQUIRE(!other);
        CHECK(other.error().code == Errc::refused);
    }

    TEST_CASE("a silent server times out, in the handshake and afterwards") {
        const TestAuthority authority;
        const auto client = client_of(authority);
        TestServer silent(authority.leaf({"dns.example"}), nullptr);
        const auto stream =
            run(connect_and_close(*client, silent.endpoint(), "dns.example", 100ms));
        REQUIRE(!stream);
        CHECK(stream.error().code == Errc::timeout);

        TestServer waiting(authority.leaf({"dns.example"}), [](SSL* ssl) { read_exactly(ssl, 5); });
        const auto got = run(read_nothing(*client, waiting.endpoint()));
        REQUIRE(!got);
        CHECK(got.error().code == Errc::timeout);
    }

    TEST_CASE("a closed port and a server that closes at once are unavailable") {
        const TestAuthority authority;
        const auto client = client_of(authority);
        Endpoint closed;
        {
            const TestServer server(authority.leaf({"dns.example"}), nullptr);
            closed = server.endpoint();
        }
        auto stream = run(connect_and_close(*client, closed, "dns.example", 2s));
        REQUIRE(!stream);
        CHECK(stream.error().code == Errc::unavailable);
    }

    TEST_CASE("no trust anchor is an error, a broken one among good ones is not") {
        const TestAuthority authority;
        const auto none = TlsClient::create({bytes_of("no PEM"), {}, nullptr, true});
        REQUIRE(!none);
        CHECK(none.error().code == Errc::malformed);
        Buffer mixed;
        const std::string_view broken =
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        mixed.assign(broken.begin(), broken.end());
        const Buffer good = authority.root_pem();
        mixed.insert(mixed.end(), good.begin(), good.end());
        CHECK(TlsClient::create({mixed, {}, nullptr, true}));
    }
}

}  // namespace
}  // namespace porchlight::net
