#pragma once

#include <string_view>
#include <vector>

#include "agent/config_json.h"

namespace porchlight::agent::config {

/// Everything that the table has against `root`, each place by its pointer: types, bounds, unknown
/// keys, what is missing. Where there is nothing, `complete` gives the whole configuration.
std::vector<Complaint> check(std::string_view file_name, const Value& root);

/// What is in force: `root`, which `check` found good, with lists for their shorthands and a
/// default wherever the table has one. Members stand in the table's order.
Value complete(const Value& root);

}  // namespace porchlight::agent::config
