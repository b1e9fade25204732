#include "agent/role_arguments.h"

namespace porchlight::agent {
namespace {

std::string level_name(log::Level level) {
    switch (level) {
        case log::Level::error:
            return "error";
        case log::Level::warn:
            return "warn";
        case log::Level::info:
            return "info";
        case log::Level::debug:
            break;
    }
    return "debug";
}

}  // namespace

std::vector<std::string> role_arguments(const std::string& role, const std::optional<User>& user,
                                        const LogConfig& log) {
    const std::string uid = user ? std::to_string(user->uid) : "-";
    const std::string gid = user ? std::to_string(user->gid) : "-";
    const std::string target = log.target == log::Target::syslog ? "syslog" : "stderr";
    return {"porchlight", "role", role, uid, gid, level_name(log.level), target};
}

}  // namespace porchlight::agent
