#pragma once

#include <chrono>
#include <optional>

#include "core/clock.h"
#include "net/staple.h"

namespace porchlight::agent {

/// What is known of the staples of one certificate.
struct StapleHistory {
    std::optional<net::StapleSpan> held;  // of the one that is shown
    WallTime fetched{};                   // when that came
    unsigned failures = 0;                // since then
    Clock::time_point failed_at{};
};

/// How long to wait before the responder is asked: nothing where no staple is held, else until half
/// of its validity is over, or half of what was left of that when it came. After failures a minute,
/// doubling to an hour, if that is longer. Never negative.
std::chrono::seconds until_fetch(const StapleHistory& history, WallTime wall,
                                 Clock::time_point now);

}  // namespace porchlight::agent
