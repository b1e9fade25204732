#pragma once

#include <string>
#include <string_view>

namespace porchlight::bench {

/// Appends the canned answer to `query`: one address for A, no data for anything else, EDNS where
/// the query has it. Appends nothing and returns false where that is no query.
bool append_answer(std::string_view query, std::string& out);

}  // namespace porchlight::bench
