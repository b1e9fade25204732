#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "core/clock.h"

namespace porchlight::agent {

/// Daemons that run here and could tell hosts, as far as a choice depends on them.
struct Found {
    bool odhcpd = false;  // it runs, and serves the links of the home
    bool operator==(const Found&) const = default;
};

/// `asked` with a carrier in place of each `automatic`. DHCPv4 is dnsmasq's. DHCPv6 is odhcpd's
/// where that was found and may have Router Advertisements too, for it has one list for both; else
/// dnsmasq's. Advertisements are odhcpd's where DHCPv6 is, else our own beside the daemon's that is
/// there; never `full`, because a daemon that nobody asked for could break a home. What was chosen
/// expressly stays as it is.
Config resolve_carriers(const Config& asked, const Found& found);

/// Whether any choice depends on what is found, so that it is worth looking.
bool depends_on_found(const Config& asked);

/// A carrier and who does its work, for people.
struct ChosenCarrier {
    std::string carrier;     // "dhcpv4", "dhcpv6", "ra"
    std::string by;          // the configuration's word for it: "dnsmasq", "supplement"
    bool automatic = false;  // the configuration left that open
    bool operator==(const ChosenCarrier&) const = default;
};

/// All three, in that order; `resolved` came from `asked`.
std::vector<ChosenCarrier> chosen_carriers(const AnnounceConfig& asked,
                                           const AnnounceConfig& resolved);

/// Whether a daemon counts as there: from the moment when it is seen, until it was not seen for
/// `absent_max`, so that a restart changes nothing, or is known to be none.
class Presence {
  public:
    static constexpr std::chrono::seconds absent_max{60};

    bool note(bool seen, Clock::time_point now) {
        if (seen) last_seen_ = now;
        return there(now);
    }
    bool there(Clock::time_point now) const { return last_seen_ && now - *last_seen_ < absent_max; }
    void forget() { last_seen_.reset(); }

  private:
    std::optional<Clock::time_point> last_seen_;
};

}  // namespace porchlight::agent
