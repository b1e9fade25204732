#pragma once

#include <span>
#include <vector>

#include "agent/config.h"
#include "agent/designators.h"
#include "agent/offered_upstreams.h"
#include "agent/offers.h"
#include "core/bytes.h"
#include "forwarder/settings.h"
#include "net/link.h"

namespace porchlight::agent {

/// Whom the forwarder asks: those that the configuration names; else whom a WAN offers; else whom
/// the WAN's plain resolvers designate; else whoever that was last. No I/O, no clock.
///
/// What is offered is on trial until one of its resolvers has answered. Meanwhile those that were
/// found to answer before are asked where it fails, and where there are none, nobody counts as
/// known: the home resolves as it did before, and an offer that does not work breaks nothing. The
/// end of an offer leaves the last ones that answered, for it must not bring the home back into
/// clear text.
class Upstreams {
  public:
    static constexpr std::size_t offered_max = 16;   // as many as `upstream` may name
    static constexpr std::size_t addresses_max = 8;  // of each, likewise

    /// What the process before us had found to answer, as kept() told it. Damaged octets count as
    /// nothing.
    void adopt(Bytes octets);
    /// What is offered and designated now. Who needs no proof counts only where nobody is known who
    /// gave one. The same resolvers in another order are no news.
    void learn(const Config& config, std::span<const net::Link> links,
               std::span<const Offer> offers, std::span<const Designators::Designated> designated);
    /// The forwarder's word on those of list(). Whether that ends the trial.
    bool judge(std::span<const forwarder::UpstreamState> states);
    /// The WAN is another network: a private address there is somebody else's.
    void forget_unproved();

    const std::vector<forwarder::UpstreamSettings>& list() const { return list_; }
    UpstreamOrigin origin() const { return origin_; }
    /// Whether there is somebody to ask who is named or has answered.
    bool known() const { return origin_ == UpstreamOrigin::configuration || !answered_.empty(); }
    bool on_trial() const;
    /// For adopt(): empty where nobody has answered. Who gave no proof is left out.
    Buffer kept() const;

  private:
    void take(std::vector<forwarder::UpstreamSettings> list, UpstreamOrigin origin);
    void combine();

    std::vector<forwarder::UpstreamSettings> list_;
    std::vector<forwarder::UpstreamSettings> offered_;   // or designated, now
    std::vector<forwarder::UpstreamSettings> answered_;  // the last of those that did
    UpstreamOrigin offered_by_ = UpstreamOrigin::nobody;
    UpstreamOrigin origin_ = UpstreamOrigin::nobody;
};

}  // namespace porchlight::agent
