#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/designators.h"
#include "agent/offers.h"
#include "agent/upstreams.h"
#include "core/random.h"
#include "net/asio.h"
#include "net/link.h"
#include "net/tls_stream.h"

namespace porchlight::agent {

/// Keeps Upstreams true: has plain resolvers asked for those that they designate where nobody is
/// offered, and asks whoever has yet to answer something over TLS, ever less often.
class UpstreamWatch {
  public:
    /// What it can't do by itself.
    struct Callbacks {
        std::function<void()> changed;  // learn() shall be called again
        /// As the forwarder checks those whom it asks.
        std::function<Result<std::unique_ptr<net::TlsClient>>()> tls;
        /// For adopt(), by whoever comes after us. Empty: nobody is known, so that dnsmasq asks its
        /// former servers.
        std::function<void(Bytes octets)> keep;
    };

    /// `random` outlives the loop's run.
    UpstreamWatch(asio::any_io_executor loop, Random& random, Callbacks callbacks);
    ~UpstreamWatch();

    void adopt(Bytes octets) { upstreams_.adopt(octets); }
    /// `plain` are the WANs' resolvers in clear text. `early`: encrypted ones may yet be offered.
    void learn(const Config& config, std::span<const net::Link> links,
               std::span<const Offer> offers, const std::vector<IpAddress>& plain, bool early);
    const Upstreams& upstreams() const { return upstreams_; }

  private:
    struct Trial;
    void notice_network(const Config& config, std::span<const net::Link> links);
    void keep();
    awaitable<void> try_whoever_is_open(std::shared_ptr<Trial> trial);
    awaitable<void> try_each(std::shared_ptr<Trial> trial);

    asio::any_io_executor loop_;
    Random& random_;
    Callbacks callbacks_;
    Designators designators_;
    Upstreams upstreams_;
    std::map<std::string, std::vector<IpAddress>> networks_;  // each WAN's own IPv4 addresses
    std::optional<Buffer> kept_;                              // none: nothing was said yet
    std::shared_ptr<Trial> trial_;
};

}  // namespace porchlight::agent
