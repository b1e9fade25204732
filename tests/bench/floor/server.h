#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace porchlight::bench {

struct Ports {
    std::uint16_t dot = 0, doh = 0, udp = 0;  // 0: not served
};

/// What sockets and OpenSSL alone cost: a server of one thread that looks at nothing and answers
/// everything with the same address. What it does to be cheap, any server could do too:
/// - one read a wake-up, however many TLS records came (read_ahead);
/// - one write for every query of that read;
/// - SSL_has_pending says whether to read again, not a read that fails;
/// - an idle connection keeps no TLS buffer (SSL_MODE_RELEASE_BUFFERS).
/// What it leaves out: cache, TTLs, limits, timeouts, HPACK, flow control, logs.
class Server {
  public:
    /// Listens on loopback. `counter`, if any, is raised by each question. Ends the program where
    /// something can't be had, as everything here does.
    Server(const Ports& ports, const char* chain, const char* key, std::uint64_t* counter);
    ~Server();
    Server(const Server&) = delete;

    [[noreturn]] void run();

  private:
    struct Connection;
    enum class Speaks : std::uint8_t { dot, doh };

    int listen(int type, std::uint16_t port);
    void watch(int descriptor, std::uint32_t events, int operation);
    void accept_all(int listener, Speaks protocol);
    void serve(Connection& connection);
    bool shake_hands(Connection& connection);
    bool answer(Connection& connection);
    void flush(Connection& connection);
    void drop(Connection& connection);
    void serve_udp();
    void count(int questions);

    SSL_CTX* context_;
    int epoll_;
    int dot_ = -1, doh_ = -1, udp_ = -1;
    std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
    std::uint64_t* counter_;
};

}  // namespace porchlight::bench
