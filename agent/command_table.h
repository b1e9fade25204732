#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "agent/command_line.h"

namespace porchlight::agent {

struct Option {
    char letter = 0;              // 0: long form only
    std::string_view name{};      // without "--"
    std::string_view argument{};  // what stands for its value, such as FILE; empty: a flag
    std::string_view choices{};   // its values, separated by '|', where they are few
    std::string_view help{};
};

/// The first word after a command that has several things to do.
struct Verb {
    std::string_view name{};
    std::string_view arguments{};
    std::string_view help{};
};

/// One row of the table that the command line is: reading it, help, completion and the manual page
/// all come from it. `arguments` is how they are shown, and counts them: "[X]" may be left out,
/// "X..." stands for one or more.
struct Command {
    std::string_view name{};
    std::string_view arguments{};  // of a command without verbs
    std::vector<Verb> verbs{};
    std::vector<Option> options{};
    std::string_view summary{};  // one line, no final stop
    std::string_view help{};
    int (*function)(const Arguments&) = nullptr;
    bool hidden = false;
};

std::span<const Command> commands();

}  // namespace porchlight::agent
