#pragma once

#include "forwarder/acceptor.h"
#include "forwarder/sessions.h"
#include "forwarder/tls_identity.h"

namespace porchlight::forwarder {

/// DNS over TLS (RFC 7858) or over HTTPS (RFC 8484) on one listening socket of one LAN interface.
class TlsListener : public Acceptor {
  public:
    /// `server` is where the worker keeps its current identity, empty without one; then nobody is
    /// let in.
    TlsListener(FileDescriptor socket, const LinkName& link, bool http, Poller& poller,
                Sessions& sessions, const std::optional<TlsServer>& server)
        : Acceptor(std::move(socket), poller, sessions.counters()),
          leg_{.encrypted = true, .stream = true, .http = http, .link = link},
          sessions_(sessions),
          server_(server) {}

  protected:
    void take(FileDescriptor socket, const IpAddress& peer, bool is_own) override;

  private:
    Application application() const;

    Leg leg_;  // of every connection
    Sessions& sessions_;
    const std::optional<TlsServer>& server_;
};

}  // namespace porchlight::forwarder
