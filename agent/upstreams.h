#pragma once

#include <span>
#include <string>
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
/// Who is offered is tried first, by a question of ours, and no host's question goes to him before
/// he has answered it. While nobody has, nobody is known: the home resolves as it did before, and
/// an offer that does not work breaks nothing. The end of an offer leaves the last ones that
/// answered, for it must not bring the home back into clear text.
class Upstreams {
  public:
    static constexpr std::size_t offered_max = 16;   // as many as `upstream` may name
    static constexpr std::size_t addresses_max = 8;  // of each, likewise
    /// On another network the last ones may be out of reach for good: after so many rounds without
    /// any answer there they count no more.
    static constexpr unsigned doubted_rounds_max = 8;

    /// Somebody to be tried, and what became of that.
    struct Tried {
        forwarder::UpstreamSettings upstream;
        bool answered = false;
        std::string error;  // of the last try; empty: not tried yet, or it went well
        bool operator==(const Tried&) const = default;
    };

    /// What the process before us had found to answer, as kept() told it. Damaged octets count as
    /// nothing.
    void adopt(Bytes octets);
    /// What is offered and designated now. Who needs no proof counts only where nobody is known who
    /// gave one.
    void learn(const Config& config, std::span<const net::Link> links,
               std::span<const Offer> offers, std::span<const Designators::Designated> designated);
    /// Who has yet to answer.
    std::vector<forwarder::UpstreamSettings> to_try() const;
    /// What came of it; `error` is empty where he answered.
    void note(const forwarder::UpstreamSettings& tried, const std::string& error);
    /// All of to_try() was tried once more.
    void end_round();
    /// The WAN is another network. A private address there is somebody else's, and who answered
    /// before may be out of reach.
    void change_network();

    const std::vector<forwarder::UpstreamSettings>& list() const { return list_; }
    UpstreamOrigin origin() const { return origin_; }
    /// Whether there is somebody to ask who is named or has answered.
    bool known() const { return origin_ == UpstreamOrigin::configuration || !list_.empty(); }
    /// Those who are offered now.
    const std::vector<Tried>& tried() const { return offered_; }
    /// For adopt(): empty where nobody has answered. Who gave no proof is left out.
    Buffer kept() const;

  private:
    void offer(std::vector<forwarder::UpstreamSettings> now);
    void choose();
    void take(std::vector<forwarder::UpstreamSettings> list, UpstreamOrigin origin);

    bool learns_ = false;
    std::vector<Tried> offered_;                     // or designated, in their order
    std::vector<forwarder::UpstreamSettings> last_;  // who answered, and was asked
    unsigned doubted_rounds_ = 0;                    // left; 0: there is no doubt
    UpstreamOrigin offered_by_ = UpstreamOrigin::nobody;
    std::vector<forwarder::UpstreamSettings> list_;
    UpstreamOrigin origin_ = UpstreamOrigin::nobody;
};

}  // namespace porchlight::agent
