#pragma once

#include <string>

namespace porchlight::agent::config {

/// The JSON Schema (2020-12) of a configuration file. What several settings have to say to each
/// other stands in no schema.
std::string json_schema();

/// The page that explains every setting, in Markdown.
std::string reference_page();

}  // namespace porchlight::agent::config
