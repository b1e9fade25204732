#pragma once

#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "forwarder/serving.h"

namespace porchlight::agent {

/// Hosts that the forwarder was serving when it died. One that it was serving at two deaths within
/// a minute is kept out for ten: a host that sends a packet of death harms itself and not the home.
class Suspects {
  public:
    static constexpr std::chrono::minutes deaths_within{1};
    static constexpr std::chrono::minutes refused_for{10};
    static constexpr std::size_t hosts_max = 256;  // the oldest are forgotten

    /// The forwarder died while it served `hosts`. Those of them that are kept out since.
    std::vector<IpAddress> died(const std::vector<IpAddress>& hosts, Clock::time_point now);
    /// Who is kept out at `now`, and for how long yet.
    std::vector<forwarder::RefusedHost> refused(Clock::time_point now) const;

  private:
    struct Suspect {
        IpAddress address;
        Clock::time_point seen;           // at the last death
        Clock::time_point refused_until;  // in the past: it is not
    };
    std::vector<Suspect> suspects_;  // by `seen`
};

}  // namespace porchlight::agent
