#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "agent/config.h"
#include "agent/designators.h"
#include "agent/offered_upstreams.h"
#include "agent/offers.h"
#include "core/random.h"
#include "forwarder/settings.h"
#include "net/asio.h"
#include "net/link.h"

namespace porchlight::agent {

/// Whom the forwarder asks: those that the configuration names; else whom a WAN offers; else whom
/// the WAN's plain resolvers designate; else whoever that was last, for the end of an offer must
/// not bring the home back into clear text.
///
/// Who is learned first counts as known only once one of them has answered: until then the home
/// resolves as it did before, and a provider whose offer does not work breaks nothing.
class Upstreams {
  public:
    /// What it can't do by itself.
    struct Callbacks {
        std::function<void()> changed;                 // anything that it tells
        std::function<awaitable<bool>()> one_answers;  // the forwarder: has any upstream answered?
        std::function<void(Bytes octets)> keep;        // for adopt(), by whoever comes after us
    };

    /// `random` outlives the loop's run.
    Upstreams(asio::any_io_executor loop, Random& random, Callbacks callbacks);
    ~Upstreams();

    /// What the process before us had learned and found to answer; empty: nothing.
    void adopt(Bytes octets);
    /// `plain` are the WANs' resolvers in clear text. Without a change nothing happens.
    void learn(const Config& config, std::span<const net::Link> links,
               std::span<const Offer> offers, const std::vector<IpAddress>& plain);

    const std::vector<forwarder::UpstreamSettings>& list() const { return list_; }
    UpstreamOrigin origin() const { return origin_; }
    /// Whether there is somebody to ask.
    bool known() const { return origin_ == UpstreamOrigin::configuration || answered_; }

  private:
    struct Trial;
    void take(std::vector<forwarder::UpstreamSettings> list, UpstreamOrigin origin);
    void keep_learned() const;
    awaitable<void> try_until_one_answers(std::shared_ptr<Trial> trial);

    asio::any_io_executor loop_;
    Random& random_;
    Callbacks callbacks_;
    Designators designators_;
    std::vector<forwarder::UpstreamSettings> list_;
    std::vector<forwarder::UpstreamSettings> learned_;  // last
    UpstreamOrigin origin_ = UpstreamOrigin::nobody;
    bool answered_ = false;  // one of those that were learned, whichever
    std::shared_ptr<Trial> trial_;
};

}  // namespace porchlight::agent
