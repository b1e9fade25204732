#pragma once

#include <chrono>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace porchlight {

/// Time for timers, ages and time-outs: never set, never stepped.
using Clock = std::chrono::steady_clock;
/// Time of day, in whole seconds since 1970 UTC. Only certificates and the user's eye need it.
using WallTime = std::chrono::sys_seconds;

/// Where both times come from, so that a test can live in 1970 or through a year in a second.
/// Logic takes times as arguments; only loops hold a TimeSource.
class TimeSource {
  public:
    virtual ~TimeSource() = default;
    virtual Clock::time_point now() const = 0;
    virtual WallTime wall() const = 0;
    /// Whether something (NTP, the platform) vouches for wall(). A router without a battery boots
    /// in the past; then dates of certificates count as holding.
    virtual bool wall_trusted() const = 0;
};

/// The kernel's clocks. wall_trusted() is the kernel's word (adjtimex) or a wall clock that is not
/// before this program was built.
class SystemTime : public TimeSource {
  public:
    Clock::time_point now() const override { return Clock::now(); }
    WallTime wall() const override;
    bool wall_trusted() const override;
};

/// When this program was built: no honest clock is earlier.
WallTime build_time();

/// "90s", "10m" (or "10min"), "12h", "7d", "500ms"; nothing for anything else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// The shortest exact form of the above: "90s", "10min", "1d".
std::string to_text(std::chrono::milliseconds duration);
/// "2026-11-21T09:52:00Z" (RFC 3339).
std::string to_text(WallTime time);
/// The inverse of to_text(WallTime).
std::optional<WallTime> parse_wall_time(std::string_view text);

/// The moment that a calendar's parts name in UTC, also after 2038 where time_t has 32 bits.
WallTime to_wall_time(const std::tm& parts);
/// For functions of others. Stops at what time_t holds.
std::time_t to_time_t(WallTime time);

}  // namespace porchlight
