#pragma once

#include <algorithm>
#include <chrono>

#include "core/clock.h"
#include "core/result.h"

namespace porchlight::net {

/// The one end of an exchange that waits several times: a peer that sends an octet now and then
/// gets no more time than one that is silent.
class Exchange {
  public:
    explicit Exchange(std::chrono::milliseconds within)
        : within_(within), end_(Clock::now() + within) {}

    bool over() const { return Clock::now() >= end_; }
    /// For the next wait; never negative.
    std::chrono::milliseconds left() const {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
        return std::max(left, std::chrono::milliseconds(0));
    }
    Error timed_out() const {
        return {Errc::timeout, "no answer after " + porchlight::to_text(within_)};
    }
    /// Why the exchange failed, where one of its waits did.
    Error failed(const Error& wait) const {
        return wait.code == Errc::timeout ? timed_out() : wait;
    }

  private:
    std::chrono::milliseconds within_;
    Clock::time_point end_;
};

}  // namespace porchlight::net
