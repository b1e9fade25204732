#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace porchlight::agent {

/// How a command ends.
inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_wrong = 2;  // wrong usage, or a configuration that isn't valid

/// What a command was given. The table in agent/command_table.h was already obeyed: only options
/// that the command knows, and as many words as it takes.
struct Arguments {
    std::string command;
    std::vector<std::string> words;  // all but options; of "config get /mode": "get", "/mode"
    std::map<std::string, std::vector<std::string>, std::less<>> options;  // by long name

    bool has(std::string_view option) const { return options.find(option) != options.end(); }
    /// The value of an option, the last one where it was repeated; `fallback` without it.
    std::string value(std::string_view option, std::string_view fallback = {}) const {
        const auto found = options.find(option);
        return std::string(found == options.end() ? fallback : found->second.back());
    }
};

/// Says on stderr what is wrong with how `arguments.command` was used; returns exit_wrong.
int wrong_usage(const Arguments& arguments, std::string_view why);

/// The configuration file that the command shall use: option "config", or the default.
std::string config_file(const Arguments& arguments);

/// Standard input, whole; nothing where it is larger than 1 MiB.
std::optional<std::string> read_standard_input();

/// The whole program: finds the command in the table, reads its options, runs it. The exit status.
int run_command_line(int argc, char** argv);

}  // namespace porchlight::agent
