#pragma once

#include <string_view>
#include <vector>

#include "agent/config.h"
#include "agent/config_json.h"

namespace porchlight::agent::config {

/// The structs for a tree that the table found good and that is complete. What one setting alone
/// can't say is judged by `rules`.
Config build(const Value& whole);

/// What does not fit together, or can't be announced.
std::vector<Complaint> rules(std::string_view file_name, const Config& config);

}  // namespace porchlight::agent::config
