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

    /// `after_turn` runs whenever the ready ones of one wake-up have run.
    void start(std::function<void()> before_turn, std::function<void()> after_turn);
    void watch(int descriptor, std::uint32_t events, Pollable& who);
    void change(int descriptor, std::uint32_t events, Pollable& who);
    /// Also happens when the descriptor is closed.
    void forget(int descriptor);

  private:
    void wait();
    bool turn();

    struct Set;  // the epoll descriptor as Asio sees it
    std::unique_ptr<Set> set_;
    int descriptor_;
    std::function<void()> before_turn_;
    std::function<void()> after_turn_;
};

}  // namespace porchlight::forwarder
