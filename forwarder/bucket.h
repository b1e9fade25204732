#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "core/clock.h"

namespace porchlight::forwarder {

/// What a bucket refills by, and what it holds.
struct Rate {
    std::chrono::nanoseconds interval{1};  // a token each
    std::uint32_t burst = 1;

    static Rate per_second(std::uint32_t count, std::uint32_t burst) {
        return {std::chrono::nanoseconds(1'000'000'000 / std::max(count, 1u)), burst};
    }
    /// `count` tokens, each back after `time`.
    static Rate each_for(std::chrono::milliseconds time, std::uint32_t count) {
        return {
            std::max<std::chrono::nanoseconds>(std::chrono::nanoseconds(time) / std::max(count, 1u),
                                               std::chrono::nanoseconds(1)),
            count};
    }
};

/// A token bucket, kept as the one time at which it would be full again. Any thread.
class Bucket {
  public:
    /// Whether there was a token; it is gone then.
    bool take(const Rate& rate, Clock::time_point now) {
        const std::int64_t at = nanoseconds_of(now);
        const std::int64_t interval = rate.interval.count();
        const std::int64_t tolerance = interval * rate.burst;
        std::int64_t full_at = full_at_.load(std::memory_order_relaxed);
        for (;;) {
            const std::int64_t next = std::max(full_at, at) + interval;
            if (next - at > tolerance) return false;
            if (full_at_.compare_exchange_weak(full_at, next, std::memory_order_relaxed))
                return true;
        }
    }
    /// Takes one that need not be there: who did so waits the longer.
    void overdraw(const Rate& rate, Clock::time_point now) {
        const std::int64_t at = nanoseconds_of(now);
        std::int64_t full_at = full_at_.load(std::memory_order_relaxed);
        while (!full_at_.compare_exchange_weak(
            full_at, std::max(full_at, at) + rate.interval.count(), std::memory_order_relaxed)) {
        }
    }
    /// Tokens that are gone, also those that were not there.
    std::uint32_t taken(const Rate& rate, Clock::time_point now) const {
        const std::int64_t missing = full_at_.load(std::memory_order_relaxed) - nanoseconds_of(now);
        if (missing <= 0) return 0;
        const std::int64_t interval = rate.interval.count();
        return static_cast<std::uint32_t>(
            std::min<std::int64_t>((missing + interval - 1) / interval, UINT32_MAX));
    }
    void fill() { full_at_.store(0, std::memory_order_relaxed); }

  private:
    static std::int64_t nanoseconds_of(Clock::time_point now) {
        return std::chrono::nanoseconds(now.time_since_epoch()).count();
    }
    std::atomic<std::int64_t> full_at_{0};  // nanoseconds of Clock
};

}  // namespace porchlight::forwarder
