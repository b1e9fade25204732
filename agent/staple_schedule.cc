#include "agent/staple_schedule.h"

#include <algorithm>

namespace porchlight::agent {
namespace {

using std::chrono::seconds;

constexpr seconds retry_first{60};
constexpr seconds retry_longest{3600};
constexpr unsigned doublings_max = 6;  // by then it is the longest

seconds after_failures(const StapleHistory& history, Clock::time_point now) {
    if (history.failures == 0) return seconds(0);
    const auto pause = std::min(retry_first * (1u << std::min(history.failures - 1, doublings_max)),
                                retry_longest);
    return std::chrono::ceil<seconds>(history.failed_at + pause - now);
}

}  // namespace

seconds until_fetch(const StapleHistory& history, WallTime wall, Clock::time_point now) {
    seconds wait(0);
    if (history.held) {
        // Responders answer from a store: what comes may be days old.
        const WallTime from = std::max(history.held->this_update, history.fetched);
        const seconds half = (history.held->next_update - from) / 2;
        // One that says the same again and again is not asked at every turn.
        wait = std::max(from + half, history.fetched + retry_first) - wall;
    }
    return std::max({seconds(0), wait, after_failures(history, now)});
}

}  // namespace porchlight::agent
