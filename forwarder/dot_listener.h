#pragma once

#include "forwarder/acceptor.h"
#include "forwarder/sessions.h"
#include "forwarder/tls_identity.h"

namespace porchlight::forwarder {

/// DNS over TLS (RFC 7858) on one listening socket of one LAN interface.
class DotListener : public Acceptor {
  public:
    /// `server` is where the worker keeps its current identity, empty without one; then nobody is
    /// let in.
    DotListener(FileDescriptor socket, const LinkName& link, Poller& poller, Sessions& sessions,
                const std::optional<TlsServer>& server)
        : Acceptor(std::move(socket), poller, sessions.counters()),
          link_(link),
          sessions_(sessions),
          server_(server) {}

  protected:
    void take(FileDescriptor socket, const IpAddress& peer, bool is_own) override;

  private:
    LinkName link_;
    Sessions& sessions_;
    const std::optional<TlsServer>& server_;
};

}  // namespace porchlight::forwarder
