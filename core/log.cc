#include "core/log.h"

#include <syslog.h>
#include <unistd.h>

#include <atomic>

#include "core/escape.h"

namespace porchlight::log {
namespace {

std::atomic<Level> threshold{Level::info};
Target target = Target::standard_error;
std::string role;
bool with_priority = false;

int priority(Level level) {
    switch (level) {
        case Level::error:
            return LOG_ERR;
        case Level::warn:
            return LOG_WARNING;
        case Level::info:
            return LOG_INFO;
        case Level::debug:
            break;
    }
    return LOG_DEBUG;
}

std::string_view name(Level level) {
    switch (level) {
        case Level::error:
            return "error";
        case Level::warn:
            return "warn ";
        case Level::info:
            return "info ";
        case Level::debug:
            break;
    }
    return "debug";
}

std::string line(std::string_view event, Fields fields) {
    std::string text;
    if (!role.empty()) text.append(role).append(": ");
    text += event;
    for (const Field& field : fields) {
        text += ' ';
        text += field.key;
        text += '=';
        text += escape_value(field.value);
    }
    return text;
}

}  // namespace

void start(Target where, Level level, std::string_view process) {
    target = where;
    threshold = level;
    role = process;
    with_priority = isatty(STDERR_FILENO) == 0;
    if (target == Target::syslog) openlog("porchlight", LOG_NDELAY | LOG_PID, LOG_DAEMON);
}

void set_level(Level level) {
    threshold = level;
}

bool enabled(Level level) {
    return level <= threshold.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view event, Fields fields) {
    if (!enabled(level)) return;
    std::string text = line(event, fields);
    if (target == Target::syslog) {
        syslog(priority(level), "%s", text.c_str());
        return;
    }
    std::string whole;
    if (with_priority) {
        whole = "<" + std::to_string(priority(level)) + ">";
    } else {
        whole.append(name(level)).append(" ");
    }
    whole += text;
    whole += '\n';
    // One write a line, so that lines of several processes never mix. A closed stderr is no reason
    // to stop serving.
    if (::write(STDERR_FILENO, whole.data(), whole.size()) < 0) return;
}

}  // namespace porchlight::log
