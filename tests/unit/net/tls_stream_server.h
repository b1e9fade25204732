#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/file_descriptor.h"
#include "net/asio.h"
#include "net/openssl.h"
// net/asio.h first
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace porchlight::net {

struct PemPair {
    Buffer chain;
    Buffer key;
};

/// A root of our own that signs certificates for tests.
class TestAuthority {
  public:
    TestAuthority();
    Buffer root_pem() const;
    /// Dates are relative to now. Names are DNS-IDs, or "IP:192.0.2.1"; `common_name`
    /// fills the subject.
    PemPair leaf(const std::vector<std::string>& names,
                 std::chrono::seconds begins = std::chrono::hours(-1),
                 std::chrono::seconds ends = std::chrono::hours(24),
                 const std::string& common_name = "") const;

  private:
    EvpKeyPtr key_;
    X509Ptr root_;
};

/// A TLS server on loopback, one connection after the other, each given to `talk` after its
/// handshake. Without `talk` it accepts and says nothing at all.
class TestServer {
  public:
    using Talk = std::function<void(SSL*)>;
    struct Options {
        int version_max = TLS1_3_VERSION;
        std::string alpn{};       // the one protocol it speaks; empty: none
        bool one_ticket = false;  // of TLS 1.3, to the first who comes, and no other
    };
    TestServer(const PemPair& pair, Talk talk, Options options);
    TestServer(const PemPair& pair, Talk talk) : TestServer(pair, std::move(talk), Options()) {}
    ~TestServer();
    TestServer(const TestServer&) = delete;

    Endpoint endpoint() const { return endpoint_; }
    int accepted() const { return accepted_; }

  private:
    void serve();
    SslContextPtr context_;
    Talk talk_;
    std::string alpn_;
    bool one_ticket_;
    FileDescriptor listener_;
    FileDescriptor stop_read_;
    FileDescriptor stop_write_;
    Endpoint endpoint_;
    std::atomic<int> accepted_ = 0;
    std::thread thread_;
};

/// Reads until `count` octets are there; fewer when the peer closed first.
std::string read_exactly(SSL* ssl, std::size_t count);
/// Reads until `end` was seen.
std::string read_until(SSL* ssl, std::string_view end);
/// False: the peer is gone.
bool write_all(SSL* ssl, std::string_view octets);
/// One connection's conversation of a resolver: every question is answered with `response_to`,
/// both in wire form, until the client leaves.
void serve_dns(SSL* ssl, const std::function<Buffer(Bytes query)>& response_to);
/// A response to `query` with `address` where an A record is asked, none for other types.
Buffer address_response(Bytes query, const Ipv4& address);

template <class T>
awaitable<void> keep_result(awaitable<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
}

/// Runs one coroutine to its end.
template <class T>
T run(awaitable<T> task) {
    asio::io_context loop;
    std::optional<T> result;
    asio::co_spawn(loop, keep_result(std::move(task), result), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    loop.run_for(std::chrono::seconds(60));
    if (!result) throw std::runtime_error("the coroutine did not end");
    return std::move(*result);
}

}  // namespace porchlight::net
