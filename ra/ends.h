#pragma once

#include <map>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "ra/advertisement.h"

namespace porchlight::ra {

/// Until when units (ra/options.h) are true, whatever their Lifetimes say: a resolver that the WAN
/// offers for ten minutes more must not be told for half an hour. No I/O.
class Ends {
  public:
    static constexpr Clock::time_point never = Clock::time_point::max();

    Ends() = default;
    /// `ends` are those of `units`, in their order; without any, none ends.
    Ends(const NdOptions& units, const std::vector<Clock::time_point>& ends);

    /// `unit` as it may leave at `now`: no Lifetime is longer than what is left of it in whole
    /// seconds. What has ended is taken back.
    Buffer as_of(const Buffer& unit, Clock::time_point now) const;
    /// What is left of the first that ends after `now`; nothing where none does.
    std::optional<Clock::duration> least_left(Clock::time_point now) const;

    bool operator==(const Ends&) const = default;

  private:
    std::map<Buffer, Clock::time_point>
        ends_;  // by unit as taken back; without those that never do
};

/// What a link's hosts are told, and until when it is true.
struct TimedOptions {
    NdOptions units;
    Ends ends = {};
};

}  // namespace porchlight::ra
