#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <vector>

#include "questions.h"

namespace porchlight::bench {

/// What happened so far. A lost question is one whose connection ended, or that the end found
/// without an answer.
struct Tally {
    std::uint64_t sent = 0, answers = 0, wrong = 0, lost = 0;
    std::uint64_t handshakes = 0, resumed = 0;
};

/// What all connections of a run have in common; it outlives them.
struct Common {
    bool udp = false;
    sockaddr_in server{};
    int epoll = -1;
    SSL_CTX* tls = nullptr;
    bool offer_tickets = false;
    Questions questions;
    Tally tally;
};

/// One client. TLS goes through memory, so that each question is a record of its own and those that
/// are asked at once leave in one send, as they do from a busy network.
class Connection {
  public:
    /// `place` is what epoll hands back for it; `depth_max` is how many questions may wait.
    Connection(Common& common, std::uint32_t place, std::uint32_t depth_max);
    Connection(const Connection&) = delete;  // OpenSSL knows where it lies
    ~Connection();

    bool open();
    void close();
    bool is_open() const { return descriptor_ >= 0; }
    /// The handshake is over.
    bool established() const { return established_; }
    std::uint32_t waiting() const { return waiting_; }

    /// One more question; it leaves with flush(). Less than `depth_max` must be waiting.
    void ask();
    void flush();
    /// Reads what is there. A connection that ended meanwhile is closed, and its questions are
    /// lost.
    void on_events(std::uint32_t events);
    /// Counts as lost what waits.
    void give_up();

    /// For whoever drives it: what it has done so far.
    bool asked = false, settled = false;

  private:
    struct Slot {
        bool waits = false;
        std::uint32_t number = 0;
    };

    static int keep_ticket(SSL* tls, SSL_SESSION* ticket);
    friend SSL_CTX* client_context();
    bool receive();
    bool shake_hands();
    void take(std::string_view message);
    void watch(std::uint32_t events, int operation);

    Common& common_;
    std::uint32_t place_;
    int descriptor_ = -1;
    SSL* tls_ = nullptr;
    SSL_SESSION* ticket_ = nullptr;  // the latest that this client got
    bool established_ = false;
    std::string in_;
    std::vector<Slot> slots_;  // by the question's ID
    std::size_t next_slot_ = 0;
    std::uint32_t waiting_ = 0;
};

/// TLS 1.3 with one group and one cipher suite, so that every server has the same work.
SSL_CTX* client_context();

}  // namespace porchlight::bench
