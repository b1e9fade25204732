#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "core/clock.h"

namespace porchlight::agent {

/// Whether a link's announcement stands. A host must never be sent to a dead resolver, and no one
/// must be able to make the announcement flap: the gate closes late, opens later, and after
/// several flaps much later.
class Gate {
  public:
    struct Limits {
        std::chrono::seconds close_after{10};  // unfit this long: withdraw
        std::chrono::seconds open_after{30};   // well this long: announce again
        unsigned flaps_max = 3;                // closings within flap_window
        std::chrono::seconds flap_window{3600};
        std::chrono::seconds open_after_flaps{600};
    };

    /// `open` is the state that was left behind: after a power cut every host asks at once, before
    /// anything could be probed. A gate that was never open opens at the first good word.
    Gate(Limits limits, bool open) : limits_(limits), open_(open), opened_before_(open) {}
    explicit Gate(bool open) : Gate(Limits(), open) {}

    /// What a look showed that began at `began` and ended at `now`. What is unfit counts as such
    /// from the look's beginning: a listener that hangs shows it by the look's taking long. `now`
    /// must not go backwards.
    void observe(bool fit, Clock::time_point began, Clock::time_point now);
    void observe(bool fit, Clock::time_point now) { observe(fit, now, now); }
    /// The decision at `now`, also when nothing new was seen.
    bool open(Clock::time_point now);
    /// When the decision changes if what was last seen goes on; nothing if it won't.
    std::optional<Clock::time_point> next_change() const;

  private:
    std::chrono::seconds patience() const;

    Limits limits_;
    bool open_;
    bool opened_before_;
    std::optional<bool> fit_;                 // last seen
    Clock::time_point since_;                 // of an unbroken run of `fit_`
    std::deque<Clock::time_point> closings_;  // at most flaps_max, oldest first
};

}  // namespace porchlight::agent
