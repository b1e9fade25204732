#pragma once

#include "net/asio.h"
// net/asio.h first
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

namespace porchlight::net {

/// Closes a socket on which something takes too long; destroyed in time, it does nothing. Closing,
/// unlike cancelling, also fails the operation after next. The socket outlives the Deadline.
class Deadline {
  public:
    Deadline(asio::ip::tcp::socket& socket, std::chrono::milliseconds after)
        : timer_(socket.get_executor(), after), guarded_(std::make_shared<Guarded>(&socket)) {
        timer_.async_wait([weak = std::weak_ptr(guarded_)](error_code ec) {
            const auto guarded = weak.lock();
            if (ec || !guarded) return;
            guarded->passed = true;
            guarded->socket->close(ec);
        });
    }

    /// Whether it was this that closed the socket.
    bool passed() const { return guarded_->passed; }

  private:
    struct Guarded {
        explicit Guarded(asio::ip::tcp::socket* guards) : socket(guards) {}
        asio::ip::tcp::socket* socket;
        bool passed = false;
    };
    asio::steady_timer timer_;
    std::shared_ptr<Guarded> guarded_;  // weak in the handler, which may run after we are gone
};

}  // namespace porchlight::net
