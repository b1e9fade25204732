#pragma once

#include <sys/socket.h>

#include <array>
#include <memory>

#include "forwarder/acceptor.h"
#include "forwarder/responder.h"
#include "forwarder/sessions.h"

namespace porchlight::forwarder {

/// Whether a datagram came from this machine. The sockets are bound to loopback, and still: nobody
/// else is answered in clear.
bool is_loopback(const sockaddr_storage& from);

/// Plain DNS over TCP for the companion, on loopback.
class Do53TcpListener : public Acceptor {
  public:
    Do53TcpListener(FileDescriptor socket, Poller& poller, Sessions& sessions)
        : Acceptor(std::move(socket), poller, sessions.counters()), sessions_(sessions) {}

  protected:
    void take(FileDescriptor socket, const IpAddress& peer, bool is_own) override;

  private:
    Sessions& sessions_;
};

/// Plain DNS over UDP for the companion, on loopback: what came since the last turn is read, and
/// answered, in batches.
class Do53UdpListener : public Pollable {
  public:
    Do53UdpListener(FileDescriptor socket, Poller& poller, Sessions& sessions);
    ~Do53UdpListener() override;
    void on_ready(std::uint32_t events) override;

  private:
    struct Batch;
    Responder::Given answer(Bytes message, Writer& out);
    void look_up(const Batch& batch, std::size_t which);

    std::shared_ptr<FileDescriptor> socket_;  // look-ups hold it weakly
    Poller& poller_;
    Sessions& sessions_;
    std::unique_ptr<Batch> batch_;
};

}  // namespace porchlight::forwarder
