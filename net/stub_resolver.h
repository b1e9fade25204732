#pragma once

#include <chrono>
#include <vector>

#include "core/address.h"
#include "core/random.h"
#include "core/result.h"
#include "dns/question.h"
#include "net/asio.h"
#include "net/tls_stream.h"

namespace porchlight::net {

/// Look-ups of our own: the names of CAs and the like. Asks resolvers over DoT, authenticated by
/// name, and nobody in clear text; never the system's resolver, which may lead back to us.
class StubResolver {
  public:
    struct Server {
        dns::Name adn;
        std::vector<Endpoint> addresses;  // tried in this order
    };
    /// `tls` and `random` are borrowed for the resolver's life.
    StubResolver(TlsClient& tls, Random& random, std::vector<Server> servers)
        : tls_(tls), random_(random), servers_(std::move(servers)) {}

    /// The addresses of `name`, IPv6 first, at least one. Servers are asked in their order until
    /// one gives an answer. Fails with `refused` if the name does not exist, has no address, or no
    /// server could be authenticated; with `timeout` or `unavailable` where nobody answered.
    awaitable<Result<std::vector<IpAddress>>> resolve(dns::Name name,
                                                      std::chrono::milliseconds within);

  private:
    awaitable<Result<std::vector<IpAddress>>> ask(const Server& server, Endpoint address,
                                                  dns::Name name, std::chrono::milliseconds within);

    TlsClient& tls_;
    Random& random_;
    std::vector<Server> servers_;
};

/// What a response says about the question: the addresses at the end of its chain of CNAMEs, none
/// if there are none or the name doesn't exist. Fails with `unavailable` if the server failed,
/// `malformed` if the message is no answer to this question.
Result<std::vector<IpAddress>> addresses_in(Bytes message, const dns::Question& asked);

}  // namespace porchlight::net
