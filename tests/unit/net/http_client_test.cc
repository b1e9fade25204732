#include "net/http_client.h"

#include <doctest/doctest.h>

#include "tls_stream_server.h"

using namespace std::chrono_literals;

namespace porchlight::net {
namespace {

dns::Name name(std::string_view text) {
    return *dns::parse_name(text);
}

/// A server for "ca.example" on loopback, a resolver that finds it, and a client.
class World {
  public:
    explicit World(TestServer::Talk talk)
        : tls_(std::move(*TlsClient::create({authority_.root_pem(), {}, nullptr, true}))),
          dns_(authority_.leaf({"dns.example"}),
               [](SSL* ssl) {
                   serve_dns(ssl, [](Bytes query) {
                       return address_response(query, Ipv4{{127, 0, 0, 1}});
                   });
               }),
          server(authority_.leaf({"ca.example"}), std::move(talk)),
          resolver_(*tls_, random_, {{name("dns.example"), {dns_.endpoint()}}}),
          client(*tls_, resolver_) {}

    std::string url(const std::string& target) const {
        return "https://ca.example:" + std::to_string(server.endpoint().port) + target;
    }

  private:
    TestAuthority authority_;
    std::unique_ptr<TlsClient> tls_;
    SeededRandom random_{1};
    TestServer dns_;

  public:
    TestServer server;

  private:
    StubResolver resolver_;

  public:
    HttpClient client;
};

TestServer::Talk saying(std::string response) {
    return [response = std::move(response)](SSL* ssl) {
        if (!read_until(ssl, "\r\n\r\n").empty()) write_all(ssl, response);
    };
}

awaitable<Result<HttpResponse>> get(World& world, HttpRequest request,
                                    std::chrono::milliseconds within) {
    // The kept connection belongs to the loop that ends with this coroutine.
    HttpClient client = std::move(world.client);
    co_return co_await client.send(std::move(request), within);
}

Result<HttpResponse> ask(World& world, HttpRequest request, std::chrono::milliseconds within = 5s) {
    return run(get(world, std::move(request), within));
}

awaitable<Result<HttpResponse>> get_twice(World& world, HttpRequest first, HttpRequest second) {
    HttpClient client = std::move(world.client);
    const auto before = co_await client.send(std::move(first), 5s);
    if (!before) co_return before;
    co_return co_await client.send(std::move(second), 5s);
}

TEST_SUITE("net/http_client") {
    TEST_CASE("an https URL falls into host, port and target") {
        const auto whole = parse_https_url("https://ca.example:14000/dir?a=b#c");
        REQUIRE(whole);
        CHECK(*whole == HttpsUrl{name("ca.example"), 14000, "/dir?a=b"});
        CHECK(*parse_https_url("https://ca.example") == HttpsUrl{name("ca.example"), 443, "/"});
        CHECK(*parse_https_url("https://ca.example?x") == HttpsUrl{name("ca.example"), 443, "/?x"});
        CHECK(*parse_http_url("http://ocsp.example") == HttpsUrl{name("ocsp.example"), 80, "/"});
        CHECK(*parse_http_url("http://ocsp.example:81/a") ==
              HttpsUrl{name("ocsp.example"), 81, "/a"});
        CHECK(!parse_http_url("https://ocsp.example"));
    }

    TEST_CASE("a URL that is unsafe, clear or without a host's name is refused") {
        for (const char* text :
             {"", "http://ca.example/", "https://", "https:///x", "https://u@ca.example/",
              "https://192.0.2.1/", "https://[2001:db8::1]/", "https://ca.example:0/",
              "https://ca.example:65536/", "https://ca.example:/", "https://ca.example/a b",
              "https://ca.example/\r\nX: y", "https://ca.example/\xc3\xa4",
              "https://-a.example/"}) {
            CAPTURE(text);
            CHECK(!parse_https_url(text));
        }
    }

    TEST_CASE("a request says who asks and whom, and the response comes back whole") {
        std::string heard;
        World world([&](SSL* ssl) {
            heard = read_until(ssl, "\r\n\r\n");
            heard += read_exactly(ssl, 4);
            write_all(ssl,
                      "HTTP/1.1 201 Created\r\nLocation: /x\r\nContent-Length: 5\r\n\r\nhello");
        });
        HttpRequest request{"POST", world.url("/new"), {{"Content-Type", "a/b"}}, "body"};
        const auto response = ask(world, request);
        REQUIRE(response);
        CHECK(response->status == 201);
        CHECK(response->header("location") == "/x");
        CHECK(response->header("absent").empty());
        CHECK(response->body == "hello");
        CHECK(heard.starts_with("POST /new HTTP/1.1\r\n"));
        CHECK(heard.find("Host: ca.example:") != std::string::npos);
        CHECK(heard.find("User-Agent: porchlight/") != std::string::npos);
        CHECK(heard.find("Content-Type: a/b\r\n") != std::string::npos);
        CHECK(heard.find("Content-Length: 4\r\n") != std::string::npos);
        CHECK(heard.ends_with("\r\n\r\nbody"));
    }

    TEST_CASE("chunks, interim responses and a body that ends with the connection are read") {
        World chunked(
            saying("HTTP/1.1 103 Early Hints\r\n\r\n"
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
        auto response = ask(chunked, {.url = chunked.url("/")});
        REQUIRE(response);
        CHECK(response->status == 200);
        CHECK(response->body == "abcde");

        World closing(saying("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end"));
        response = ask(closing, {.url = closing.url("/")});
        REQUIRE(response);
        CHECK(response->body == "to the end");
    }

    TEST_CASE("the answer to HEAD has no body, whatever its length says") {
        World world(saying("HTTP/1.1 200 OK\r\nContent-Length: 99\r\nReplay-Nonce: n\r\n\r\n"));
        const auto response = ask(world, {"HEAD", world.url("/nonce"), {}, ""});
        REQUIRE(response);
        CHECK(response->header("Replay-Nonce") == "n");
        CHECK(response->body.empty());
    }

    TEST_CASE("a connection is kept for the next request") {
        World world([](SSL* ssl) {
            while (!read_until(ssl, "\r\n\r\n").empty())
                write_all(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        const auto second =
            run(get_twice(world, {.url = world.url("/1")}, {.url = world.url("/2")}));
        REQUIRE(second);
        CHECK(second->body == "ok");
        CHECK(world.server.accepted() == 1);
    }

    TEST_CASE("a kept connection that the server closed is replaced") {
        World world(saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
        const auto second =
            run(get_twice(world, {.url = world.url("/1")}, {.url = world.url("/2")}));
        REQUIRE(second);
        CHECK(second->body == "ok");
        CHECK(world.server.accepted() == 2);
    }

    TEST_CASE("what is too large, no HTTP, or cut short is an error") {
        const std::string long_header(20000, 'x');
        for (const auto& [response, code] : std::vector<std::pair<std::string, Errc>>{
                 {"HTTP/1.1 200 OK\r\nX: " + long_header + "\r\n\r\n", Errc::malformed},
                 {"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n", Errc::malformed},
                 {"SSH-2.0-server\r\n", Errc::malformed},
                 {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", Errc::unavailable},
                 {"", Errc::unavailable}}) {
            World world(saying(response));
            const auto failed = ask(world, {.url = world.url("/")});
            REQUIRE(!failed);
            INFO(failed.error().message);
            CHECK(failed.error().code == code);
        }
    }

    TEST_CASE("a server that says nothing times out") {
        World world([](SSL* ssl) { read_until(ssl, "never"); });
        const auto late = ask(world, {.url = world.url("/")}, 300ms);
        REQUIRE(!late);
        CHECK(late.error().code == Errc::timeout);
    }
}

}  // namespace
}  // namespace porchlight::net
