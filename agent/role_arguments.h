#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/privileges.h"

namespace porchlight::agent {

/// What `porchlight role` wants to be told; see role_command.
std::vector<std::string> role_arguments(const std::string& role, const std::optional<User>& user,
                                        const LogConfig& log);

}  // namespace porchlight::agent
