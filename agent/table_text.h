#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace porchlight::agent {

// How the tables of commands and of settings, and what is made from them, write text.

/// The words between '|'.
std::vector<std::string_view> alternatives(std::string_view text);

/// `text` in lines of at most `columns`, each behind `indent` and with a line break; a longer word
/// has a line of its own.
std::string wrapped(std::string_view text, std::string_view indent, std::size_t columns);

}  // namespace porchlight::agent
