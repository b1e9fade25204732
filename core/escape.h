#pragma once

#include <string>
#include <string_view>

namespace porchlight {

/// Text that may hold a stranger's octets, made safe for a terminal, a log line or a label:
/// printable ASCII stays, quote and backslash get a backslash, everything else becomes \xHH.
std::string escape(std::string_view text);

/// As a log value: bare where it is one plain word, quoted and escaped otherwise.
std::string escape_value(std::string_view text);

}  // namespace porchlight
