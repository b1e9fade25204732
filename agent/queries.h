#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "forwarder/query_log.h"

namespace porchlight::agent {

/// What `porchlight queries --json` prints: what the forwarder noted of the home's questions.
std::string queries_json(const forwarder::QueryReport& report);

/// That JSON, as a line's end has it, with at most `count` questions, the newest. Fails with
/// `malformed` on anything else.
Result<std::string> newest_queries(std::string_view json, std::size_t count);

/// The same for a person, from that JSON: what was counted, then at most `count` questions, newest
/// first. Fails with `malformed` on anything else.
Result<std::string> queries_text(std::string_view json, std::size_t count);

}  // namespace porchlight::agent
