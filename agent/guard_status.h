#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "agent/guard.h"
#include "core/clock.h"

namespace porchlight::agent {

/// The part of `porchlight status` about rogue servers, in its machine-readable form.
nlohmann::ordered_json guard_json(const GuardStatus& guard, Clock::time_point now);
/// What a person should know at once: a sentence for each rogue that is no mere neighbour.
std::vector<std::string> guard_warnings(const GuardStatus& guard);
/// From the JSON form, for a terminal. Strangers' octets come out escaped.
std::string guard_text(const nlohmann::ordered_json& json);

}  // namespace porchlight::agent
