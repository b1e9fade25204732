#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/command_table.h"

namespace porchlight::agent {

// The texts that follow from the table of commands. All end with a line break.

/// "porchlight config get POINTER", one line a verb; each behind `indent`.
std::string usage_lines(const Command& command, std::string_view indent);
/// What `porchlight --help` prints: every command with its line.
std::string program_help();
/// What `porchlight COMMAND --help` prints.
std::string command_help(const Command& command);
/// The manual page porchlight(8), in the man macros of troff.
std::string man_page();
/// The completion script for "bash", "zsh" or "fish"; nothing for another shell.
std::optional<std::string> completion_script(std::string_view shell);

}  // namespace porchlight::agent
