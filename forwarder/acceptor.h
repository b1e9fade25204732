#pragma once

#include "core/address.h"
#include "core/file_descriptor.h"
#include "forwarder/counters.h"
#include "forwarder/poller.h"

namespace porchlight::forwarder {

/// A listening TCP socket: takes connections, a bounded number a turn, and hands them on.
class Acceptor : public Pollable {
  public:
    Acceptor(FileDescriptor socket, Poller& poller, Counters& counters);
    ~Acceptor() override;
    void on_ready(std::uint32_t events) override;

  protected:
    /// `is_own`: it comes from the very address it goes to, so from this machine.
    virtual void take(FileDescriptor socket, const IpAddress& peer, bool is_own) = 0;

  private:
    bool accept_one();
    void shed_one();

    FileDescriptor socket_;
    FileDescriptor spare_;  // given up for a moment when the process has no descriptor left
    Poller& poller_;
    Counters& counters_;
};

}  // namespace porchlight::forwarder
