#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/hindrances.h"
#include "core/clock.h"
#include "core/file_descriptor.h"

namespace porchlight::agent {

/// The sockets by which the agent hears Router Advertisements of the WAN: opened with the keeper's
/// privilege, handed over, and opened again where a link came later or was made anew.
class WanSockets {
  public:
    static constexpr std::chrono::seconds tried_again{10};

    struct Opened {
        std::vector<std::string> links;
        std::vector<FileDescriptor> sockets;  // one a link
        Hindrances::Reasons hindered;
    };

    /// For each WAN link of `config` that is there.
    Opened open(const Config& config, Clock::time_point now);
    /// Whether the links are still those that were there then.
    bool links_are_those() const;
    /// Whether one that could not be had can be had now; looked at every `tried_again`. Nobody
    /// tells: a link may have been too small for IPv6 for a moment.
    bool can_have_more(Clock::time_point now);
    /// When that is looked at next.
    Clock::time_point try_at() const { return try_at_; }

  private:
    std::map<std::string, unsigned> indexes_;  // 0: not there
    std::vector<std::string> missing_;         // though they are there
    Clock::time_point try_at_ = Clock::time_point::max();
};

}  // namespace porchlight::agent
