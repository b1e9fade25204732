#include "agent/command_line.h"

#include <getopt.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "agent/command_help.h"
#include "agent/command_table.h"
#include "agent/config.h"
#include "core/escape.h"

namespace porchlight::agent {
namespace {

constexpr int long_options_begin = 256;  // beyond every letter
constexpr int help_value = 'h';

const Command* find_command(std::string_view name) {
    const auto all = commands();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Command& command) { return command.name == name; });
    return found == all.end() ? nullptr : &*found;
}

int print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    return exit_done;
}

/// A command's options in the form that getopt wants. Each is known by its index.
struct Options {
    std::vector<::option> long_forms;
    std::vector<std::string> names;  // end in NUL, as C wants them
    std::string letters = ":h";      // ':' first: a missing value is told from an unknown option

    explicit Options(const Command& command) {
        names.reserve(command.options.size());
        for (const Option& one : command.options) {
            const int has_argument = one.argument.empty() ? no_argument : required_argument;
            const int value = long_options_begin + static_cast<int>(names.size());
            names.emplace_back(one.name);
            long_forms.push_back({names.back().c_str(), has_argument, nullptr, value});
            if (one.letter == 0) continue;
            letters += one.letter;
            if (has_argument == required_argument) letters += ':';
        }
        long_forms.push_back({"help", no_argument, nullptr, help_value});
        long_forms.push_back({nullptr, 0, nullptr, 0});
    }
};

const Option* option_of(const Command& command, int value) {
    for (std::size_t i = 0; i < command.options.size(); ++i)
        if (value == command.options[i].letter || value == long_options_begin + static_cast<int>(i))
            return &command.options[i];
    return nullptr;
}

/// How many words `arguments`, as the table shows them, stand for.
struct Count {
    std::size_t min = 0;
    std::size_t max = 0;
};

Count count_of(std::string_view arguments) {
    Count count;
    while (!arguments.empty()) {
        const std::size_t blank = std::min(arguments.find(' '), arguments.size());
        const std::string_view word = arguments.substr(0, blank);
        arguments.remove_prefix(std::min(blank + 1, arguments.size()));
        if (!word.starts_with('[')) ++count.min;
        count.max = word.ends_with("...") || word.ends_with("...]") ? SIZE_MAX : count.max + 1;
    }
    return count;
}

/// What is wrong with the words, or nothing.
std::string why_not(const Command& command, const std::vector<std::string>& words) {
    std::string_view expected = command.arguments;
    std::size_t given = words.size();
    if (!command.verbs.empty()) {
        std::string names;
        for (const Verb& verb : command.verbs) names += " " + std::string(verb.name);
        if (words.empty()) return "expected one of:" + names;
        const auto verb = std::find_if(command.verbs.begin(), command.verbs.end(),
                                       [&](const Verb& one) { return one.name == words[0]; });
        if (verb == command.verbs.end())
            return "unknown \"" + escape(words[0]) + "\"; expected one of:" + names;
        expected = verb->arguments;
        --given;
    }
    const Count count = count_of(expected);
    if (given >= count.min && given <= count.max) return {};
    if (expected.empty()) return "\"" + escape(words.back()) + "\" is one word too many";
    return "expected " + std::string(expected);
}

int run(const Command& command, int argc, char** argv) {
    Arguments arguments;
    arguments.command = command.name;
    const Options options(command);
    opterr = 0;
    optind = 0;  // glibc and musl then start anew
    for (;;) {
        const int value =
            getopt_long(argc, argv, options.letters.c_str(), options.long_forms.data(), nullptr);
        if (value == -1) break;
        if (value == help_value) return print(command_help(command));
        // At a fault `optind` is already behind the word, unless it has more letters.
        const std::string word = optind > 0 && optind <= argc ? argv[optind - 1] : "";
        if (value == ':') return wrong_usage(arguments, escape(word) + " needs a value");
        if (value == '?') return wrong_usage(arguments, "unknown option " + escape(word));
        const Option& one = *option_of(command, value);
        arguments.options[std::string(one.name)].emplace_back(optarg != nullptr ? optarg : "");
    }
    for (int i = optind; i < argc; ++i) arguments.words.emplace_back(argv[i]);
    if (const std::string why = why_not(command, arguments.words); !why.empty())
        return wrong_usage(arguments, why);
    return command.function(arguments);
}

}  // namespace

int wrong_usage(const Arguments& arguments, std::string_view why) {
    const std::string name =
        "porchlight" + (arguments.command.empty() ? "" : " " + arguments.command);
    std::fprintf(stderr, "%s: %.*s\nMore by: %s --help\n", name.c_str(),
                 static_cast<int>(why.size()), why.data(), name.c_str());
    return exit_wrong;
}

std::string config_file(const Arguments& arguments) {
    return arguments.value("config", default_config_file);
}

std::optional<std::string> read_standard_input() {
    constexpr std::size_t octets_max = 1 << 20;
    std::string text(octets_max + 1, '\0');
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::cin.gcount()));
    if (text.size() > octets_max) return std::nullopt;
    return text;
}

int run_command_line(int argc, char** argv) {
    if (argc < 2) {
        std::fputs(program_help().c_str(), stderr);
        return exit_wrong;
    }
    const std::string_view first = argv[1];
    if (first == "--help" || first == "-h") return print(program_help());
    if (first == "--version") return print("porchlight " PORCHLIGHT_VERSION "\n");
    const Command* command = find_command(first);
    if (command == nullptr) return wrong_usage({}, "unknown command \"" + escape(first) + "\"");
    return run(*command, argc - 1, argv + 1);
}

}  // namespace porchlight::agent
