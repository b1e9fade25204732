#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/address.h"
#include "core/result.h"
#include "dns/name.h"
#include "net/asio.h"
#include "net/doh_client.h"
#include "net/tls_stream.h"

namespace porchlight::agent {

/// Asks one of our own listeners as a host would: over TLS or HTTPS, with the certificate that it
/// should show, for its own name. The connection is kept from one question to the next, and made
/// anew now and then, so that a listener that only serves old friends is found out too.
class Probe {
  public:
    static constexpr std::chrono::milliseconds answer_within{4000};
    static constexpr std::chrono::seconds connection_kept{60};

    /// `dohpath` is the template of DNS over HTTPS; empty: DNS over TLS.
    Probe(Endpoint listener, dns::Name adn, std::string dohpath = {});
    ~Probe();

    /// Succeeds when a well-formed answer came. `client` trusts exactly the certificate in use.
    awaitable<Result<void>> ask(net::TlsClient& client);
    /// The next question uses a new connection: the certificate changed. One that is being asked
    /// goes on, for a stream must not end before what is under way on it.
    void forget() { forgotten_ = true; }
    const Endpoint& listener() const { return listener_; }

  private:
    awaitable<Result<void>> ask_once();
    awaitable<Result<Buffer>> ask_dot(std::uint16_t id);
    awaitable<Result<Buffer>> ask_doh(std::uint16_t id);
    void drop();

    Endpoint listener_;
    dns::Name adn_;
    std::string dohpath_;
    std::unique_ptr<net::TlsStream> stream_;
    std::unique_ptr<net::DohClient> doh_;  // on `stream_`
    Clock::time_point connected_{};
    std::uint16_t id_ = 0;
    bool forgotten_ = false;
};

/// The query that a probe sends, without framing: our own name's address, which the listener knows
/// by itself, so that a dead upstream doesn't make it look dead.
Buffer probe_query(const dns::Name& adn, std::uint16_t id);
/// Whether `message` answers the probe with that ID: any NOERROR response.
bool answers_probe(Bytes message, std::uint16_t id);

}  // namespace porchlight::agent
