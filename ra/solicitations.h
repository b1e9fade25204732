#pragma once

#include <chrono>

#include "core/clock.h"
#include "core/random.h"

namespace porchlight::ra {

/// When somebody who listens for routers solicits them (RFC 4861 section 6.3.7): within a second of
/// the link's coming up, and twice more as long as no router answers. Then their next unsolicited
/// advertisement is waited for. No I/O; the time is the caller's.
class Solicitations {
  public:
    static constexpr unsigned count_max = 3;                     // MAX_RTR_SOLICITATIONS
    static constexpr std::chrono::seconds interval{4};           // RTR_SOLICITATION_INTERVAL
    static constexpr std::chrono::milliseconds delay_max{1000};  // MAX_RTR_SOLICITATION_DELAY
    static constexpr Clock::time_point never = Clock::time_point::max();

    /// The link came up.
    void begin(Clock::time_point now, Random& random) {
        left_ = count_max;
        at_ = now + std::chrono::milliseconds(
                        random.below(static_cast<std::uint64_t>(delay_max.count()) + 1));
    }
    /// A router was heard, or the link went down.
    void end() {
        left_ = 0;
        at_ = never;
    }
    void on_sent(Clock::time_point now) {
        if (left_ > 0) --left_;
        at_ = left_ == 0 ? never : now + interval;
    }
    /// When the next is due.
    Clock::time_point at() const { return at_; }

  private:
    unsigned left_ = 0;
    Clock::time_point at_ = never;
};

}  // namespace porchlight::ra
