#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace porchlight::acme {

/// What a CA sent as JSON. Fails with `malformed`, also on what is nested deeper than any message
/// of ACME's: the tree's destructor recurses.
Result<nlohmann::json> parse_json(std::string_view text);

/// A member that is a string; empty if there is none or it's something else.
std::string text_in(const nlohmann::json& object, const char* member);
/// The strings of a member that is an array.
std::vector<std::string> texts_in(const nlohmann::json& object, const char* member);
/// A member that is an object; an empty object if there is none.
const nlohmann::json& object_in(const nlohmann::json& object, const char* member);
/// The elements of a member that is an array; an empty array if there is none.
const nlohmann::json& array_in(const nlohmann::json& object, const char* member);

/// In one line. Text that isn't UTF-8 is replaced, never thrown about.
std::string json_text(const nlohmann::json& value);

}  // namespace porchlight::acme
