#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace porchlight::log {

/// error: somebody must act. warn: we worked around it. info: a life event. debug: one exchange.
enum class Level { error, warn, info, debug };

/// stderr lines begin with "<N>" (the syslog priority, as systemd and procd read it) when stderr
/// is not a terminal.
enum class Target { standard_error, syslog };

struct Field {
    std::string_view key;
    std::string value;
};
using Fields = std::initializer_list<Field>;

/// Process-wide. Call it before threads exist and, with syslog, before the root changes.
/// `role` names the process in each line.
void start(Target target, Level level, std::string_view role);
void set_level(Level level);
bool enabled(Level level);

/// One event, one line: `event key=value key="two words"`. Values are escaped by the one function
/// that stands before every output holding a stranger's octets.
void write(Level level, std::string_view event, Fields fields);

inline void error(std::string_view event, Fields fields = {}) {
    write(Level::error, event, fields);
}
inline void warn(std::string_view event, Fields fields = {}) {
    write(Level::warn, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) {
    write(Level::info, event, fields);
}
inline void debug(std::string_view event, Fields fields = {}) {
    if (enabled(Level::debug)) write(Level::debug, event, fields);
}

/// Lets through the first event of each interval: for lines that a peer could repeat.
class Limiter {
  public:
    explicit Limiter(std::chrono::milliseconds interval = std::chrono::seconds(10))
        : interval_(interval) {}
    bool admit(Clock::time_point now) {
        if (now < next_) return false;
        next_ = now + interval_;
        return true;
    }

  private:
    std::chrono::milliseconds interval_;
    Clock::time_point next_ = Clock::time_point::min();
};

}  // namespace porchlight::log
