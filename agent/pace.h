#pragma once

#include <algorithm>
#include <chrono>

#include "core/clock.h"

namespace porchlight::agent {

/// How soon what strangers said may change what hosts are told: never twice in a second, and after
/// `burst` changes no faster than one each `refill`. Else whoever sends on the WAN could make us
/// write flash and wake dnsmasq every second. The time is the caller's.
class Pace {
  public:
    static constexpr std::chrono::seconds spacing{1};
    static constexpr std::chrono::seconds refill{30};
    static constexpr int burst = 8;

    /// When the next change may be looked at: `now`, or later.
    Clock::time_point next(Clock::time_point now) const {
        return std::max({now, looked_ + spacing, full_at_ - (burst - 1) * refill});
    }
    /// At `now` it was looked at; `changed`: and hosts are told something else for it.
    void on_look(bool changed, Clock::time_point now) {
        looked_ = now;
        if (changed) full_at_ = std::max(full_at_, now) + refill;
    }

  private:
    // Long past: nothing was done yet.
    Clock::time_point looked_ = Clock::time_point() - std::chrono::hours(1);
    Clock::time_point full_at_ = Clock::time_point() - std::chrono::hours(1);
};

}  // namespace porchlight::agent
