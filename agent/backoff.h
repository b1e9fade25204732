#pragma once

#include <algorithm>
#include <chrono>

#include "core/clock.h"

namespace porchlight::agent {

/// How long to wait before a child that died is started again: 200 ms at first, doubling to 10 s,
/// and from the start again once it lived for a minute. It never gives up: a home may not lose its
/// DNS to a packet of death.
class Backoff {
  public:
    static constexpr std::chrono::milliseconds first{200};
    static constexpr std::chrono::milliseconds longest{10000};
    static constexpr std::chrono::seconds lived_well{60};

    void started(Clock::time_point now) { started_ = now; }

    /// It died at `now`: when to start it again.
    Clock::time_point died(Clock::time_point now) {
        if (now - started_ >= lived_well) next_ = first;
        const auto at = now + next_;
        next_ = std::min(next_ * 2, longest);
        return at;
    }

  private:
    std::chrono::milliseconds next_ = first;
    Clock::time_point started_{};
};

}  // namespace porchlight::agent
