#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "net/asio.h"

namespace porchlight::forwarder {

/// Something with a descriptor that a Poller watches.
class Pollable {
  public:
    virtual ~Pollable() = default;
    /// `events` are epoll's: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR.
    virtual void on_ready(std::uint32_t events) = 0;
};

/// Readiness of many descriptors, level-triggered, as one descriptor in the event loop: the loop
/// wakes for the set, and one call tells all that are ready. Asio's own wait costs a system call
/// and an allocation for each descriptor and wake-up, which is most of what a cached answer costs.
///
/// Whoever is watched must live until the end of the turn in which it is forgotten.
class Poller {
  public:
    explicit Poller(asio::any_io_executor loop);
    ~Poller();

    struct Hooks {
        std::function<void()> before_turn;
        std::function<void()> after_turn;  // the ready ones have run
        /// Nobody was ready any more, or the loop wants its turn: for one thing that can wait until
        /// all others were served. Once a round of the loop.
        std::function<void()> after_wake;
    };
    void start(Hooks hooks);
    /// A turn more, even if nobody is ready, behind all that the loop has to do by now.
    void wake_again();
    void watch(int descriptor, std::uint32_t events, Pollable& who);
    void change(int descriptor, std::uint32_t events, Pollable& who);
    /// Also happens when the descriptor is closed.
    void forget(int descriptor);

  private:
    void wait();
    void take_turns();
    std::size_t take_ready();
    void turn(std::size_t count);

    struct Set;  // the epoll descriptor as Asio sees it
    std::unique_ptr<Set> set_;
    int descriptor_;
    Hooks hooks_;
    bool wakes_again_ = false;
};

}  // namespace porchlight::forwarder
