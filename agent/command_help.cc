#include "agent/command_help.h"

#include <algorithm>

#include "agent/table_text.h"

namespace porchlight::agent {
namespace {

constexpr std::size_t width = 79;

std::string padded(std::string_view text, std::size_t columns) {
    std::string line(text);
    line.resize(std::max(columns, text.size()), ' ');
    return line;
}

std::string option_label(const Option& option) {
    std::string label = option.letter != 0 ? std::string("-") + option.letter + ", " : "    ";
    label += "--" + std::string(option.name);
    if (!option.argument.empty()) label += " " + std::string(option.argument);
    return label;
}

/// Two columns: a label, and a text that wraps beside it, or below one that leaves no room.
std::string entry(std::string_view label, std::string_view text, std::size_t columns) {
    std::string lines = wrapped(text, std::string(columns, ' '), width);
    if (label.size() >= columns) return std::string(label) + '\n' + lines;
    const std::string head = padded(label, columns);
    return head + lines.substr(columns);
}

}  // namespace

std::string usage_lines(const Command& command, std::string_view indent) {
    const std::string head = std::string(indent) + "porchlight " + std::string(command.name);
    const std::string options = command.options.empty() ? "" : " [OPTIONS]";
    const auto line = [&](std::string_view verb, std::string_view arguments) {
        std::string text = head;
        if (!verb.empty()) text += " " + std::string(verb);
        text += options;
        if (!arguments.empty()) text += " " + std::string(arguments);
        return text + '\n';
    };
    if (command.verbs.empty()) return line("", command.arguments);
    std::string lines;
    for (const Verb& verb : command.verbs) lines += line(verb.name, verb.arguments);
    return lines;
}

std::string program_help() {
    std::string text =
        "porchlight tells the hosts of a home which encrypted DNS resolver to use, and\n"
        "is that resolver.\n\nUsage:\n  porchlight COMMAND [OPTIONS]\n\nCommands:\n";
    for (const Command& command : commands())
        if (!command.hidden) text += entry("  " + std::string(command.name), command.summary, 16);
    return text +
           "\nOptions:\n"
           "  -h, --help    this text; after a command, all about it\n"
           "  --version     the version\n"
           "\nThe exit status is 0 when it is done, 1 when it failed, 2 for wrong usage or a\n"
           "configuration that is not valid.\n";
}

std::string command_help(const Command& command) {
    std::string text = wrapped(command.help, "", width) + "\nUsage:\n" + usage_lines(command, "  ");
    if (!command.verbs.empty()) {
        text += '\n';
        for (const Verb& verb : command.verbs)
            text += entry("  " + std::string(verb.name), verb.help, 16);
    }
    text += "\nOptions:\n";
    for (const Option& option : command.options)
        text += entry("  " + option_label(option), option.help, 26);
    return text + entry("  -h, --help", "this text", 26);
}

}  // namespace porchlight::agent
