#pragma once

#include <optional>
#include <vector>

#include "core/clock.h"
#include "ra/advertisement.h"

namespace porchlight::ra {

/// What another sender of advertisements tells hosts of resolvers: plain ones (RFC 8106 section
/// 5.1) and encrypted ones. Each option stands until it is taken back or its Lifetime has passed:
/// that one advertisement lacks it means nothing, for options may be spread over several (RFC 4861
/// section 9). At most `options_max` are known; who tells more is known by the first.
/// No I/O; the time is the caller's.
class HeardOptions {
  public:
    static constexpr std::size_t options_max = 64;

    void on_advertisement(const NdOptions& options, Clock::time_point now);
    void clear() { heard_.clear(); }
    bool empty() const { return heard_.empty(); }

    /// As they were told last.
    NdOptions standing(Clock::time_point now) const;
    /// Whether one of this type stands.
    bool tells_type(std::uint8_t type, Clock::time_point now) const;
    /// Whether one stands that `option`, which may be taken back, equals but for its Lifetime.
    bool tells(const Buffer& option, Clock::time_point now) const;
    /// When the next ends by itself; Clock::time_point::max() if none does.
    Clock::time_point next_end(Clock::time_point now) const;

  private:
    struct Heard {
        Buffer option;
        Clock::time_point until;
    };
    std::vector<Heard> heard_;
};

}  // namespace porchlight::ra
