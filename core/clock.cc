#include "core/clock.h"

#include <sys/timex.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace porchlight {
namespace {

struct Unit {
    std::string_view name;
    std::chrono::milliseconds length;
};

constexpr std::array units{
    Unit{"ms", std::chrono::milliseconds(1)}, Unit{"s", std::chrono::seconds(1)},
    Unit{"min", std::chrono::minutes(1)},     Unit{"m", std::chrono::minutes(1)},
    Unit{"h", std::chrono::hours(1)},         Unit{"d", std::chrono::hours(24)},
};

/// Ten years: longer than any setting means, and far from where milliseconds overflow.
constexpr std::chrono::milliseconds duration_max = std::chrono::hours(24 * 3650);

}  // namespace

WallTime SystemTime::wall() const {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

bool SystemTime::wall_trusted() const {
    timex state{};
    const bool synchronised = adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) == 0;
    return synchronised || wall() >= build_time();
}

WallTime build_time() {
    // The compiler's own date, "Nov 21 2026", so that a build needs no other tool to know it.
    static const WallTime built = [] {
        tm parts{};
        if (strptime(__DATE__, "%b %d %Y", &parts) == nullptr) return WallTime{};
        return to_wall_time(parts);
    }();
    return built;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    std::int64_t count = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (ec != std::errc() || count < 0) return std::nullopt;
    const std::string_view name(end, text.data() + text.size());
    for (const Unit& unit : units) {
        if (name != unit.name) continue;
        if (count > duration_max / unit.length) return std::nullopt;
        return count * unit.length;
    }
    return std::nullopt;
}

std::string to_text(std::chrono::milliseconds duration) {
    for (std::string_view name : {"d", "h", "min", "s", "ms"}) {
        for (const Unit& unit : units) {
            if (unit.name != name || duration % unit.length != std::chrono::milliseconds(0))
                continue;
            if (duration.count() == 0 && name != "s") continue;
            return std::to_string(duration / unit.length) + std::string(name);
        }
    }
    return "0s";
}

std::string to_text(WallTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    char buffer[40];
    const int size = std::snprintf(
        buffer, sizeof buffer, "%d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()));
    return {buffer, static_cast<std::size_t>(size)};
}

std::optional<WallTime> parse_wall_time(std::string_view text) {
    const std::string copy(text);
    tm parts{};
    const char* end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (end == nullptr || *end != 0) return std::nullopt;
    return to_wall_time(parts);
}

WallTime to_wall_time(const std::tm& parts) {
    const std::chrono::year_month_day date{
        std::chrono::year(parts.tm_year + 1900),
        std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
        std::chrono::day(static_cast<unsigned>(parts.tm_mday))};
    return std::chrono::sys_days(date) + std::chrono::hours(parts.tm_hour) +
           std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec);
}

std::time_t to_time_t(WallTime time) {
    using Limits = std::numeric_limits<std::time_t>;
    return static_cast<std::time_t>(
        std::clamp<std::int64_t>(time.time_since_epoch().count(), Limits::min(), Limits::max()));
}

}  // namespace porchlight
