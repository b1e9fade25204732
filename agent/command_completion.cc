#include <cstdio>

#include "agent/command_help.h"
#include "agent/commands.h"
#include "agent/table_text.h"

namespace porchlight::agent {
namespace {

std::vector<const Command*> shown() {
    std::vector<const Command*> rows;
    for (const Command& command : commands())
        if (!command.hidden) rows.push_back(&command);
    return rows;
}

std::string joined(const std::vector<std::string_view>& words) {
    std::string text;
    for (std::string_view word : words) text += (text.empty() ? "" : " ") + std::string(word);
    return text;
}

/// The first words of a command: its verbs, or the choices of its argument.
std::vector<std::string_view> first_words(const Command& command) {
    std::vector<std::string_view> words;
    for (const Verb& verb : command.verbs) words.push_back(verb.name);
    if (command.arguments.find('|') != command.arguments.npos)
        words = alternatives(command.arguments);
    return words;
}

std::string option_words(const Command& command) {
    std::string words = "--help";
    for (const Option& option : command.options) words += " --" + std::string(option.name);
    return words;
}

std::string names() {
    std::string words;
    for (const Command* command : shown()) words += std::string(command->name) + " ";
    return words + "--help --version";
}

std::string bash_script() {
    std::string script =
        "_porchlight() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
        "    local words=\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "        words='" +
        names() +
        "'\n"
        "    else\n"
        "        case $before in\n"
        "        -c|--config) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n";
    for (const Command* command : shown())
        for (const Option& option : command->options)
            if (!option.choices.empty())
                script += "        --" + std::string(option.name) + ") words='" +
                          joined(alternatives(option.choices)) + "' ;;\n";
    script += "        *) case ${COMP_WORDS[1]} in\n";
    for (const Command* command : shown()) {
        const std::string words = joined(first_words(*command));
        script += "            " + std::string(command->name) + ") words='" +
                  option_words(*command) + (words.empty() ? "" : " " + words) + "' ;;\n";
    }
    return script +
           "            esac ;;\n"
           "        esac\n"
           "    fi\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "}\n"
           "complete -F _porchlight porchlight\n";
}

/// In single quotes of a shell, where they end and begin again around one of their own.
std::string quoted(std::string_view text) {
    std::string safe = "'";
    for (char c : text) safe += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return safe + "'";
}

/// What may stand between the brackets of zsh's _arguments.
std::string zsh_text(std::string_view text) {
    std::string safe;
    for (char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') safe += '\\';
        safe += c;
    }
    return safe;
}

std::string zsh_option(const Option& option) {
    const std::string help = "[" + zsh_text(option.help) + "]";
    std::string value;
    if (!option.choices.empty())
        value = ":" + std::string(option.name) + ":(" + joined(alternatives(option.choices)) + ")";
    else if (!option.argument.empty())
        value = ":file:_files";
    std::string words;
    if (option.letter != 0) words += " " + quoted(std::string("-") + option.letter + help + value);
    return words + " " + quoted("--" + std::string(option.name) + help + value);
}

std::string zsh_script() {
    std::string script =
        "#compdef porchlight\n"
        "_porchlight() {\n"
        "    if (( CURRENT == 2 )); then\n"
        "        local -a commands=(\n";
    for (const Command* command : shown())
        script += "            " +
                  quoted(std::string(command->name) + ":" + zsh_text(command->summary)) + "\n";
    script +=
        "        )\n"
        "        _describe command commands\n"
        "        return\n"
        "    fi\n"
        "    local command=$words[2]\n"
        "    shift words\n"
        "    (( CURRENT-- ))\n"
        "    case $command in\n";
    for (const Command* command : shown()) {
        script += "    " + std::string(command->name) + ") _arguments '--help[all about it]'";
        for (const Option& option : command->options) script += zsh_option(option);
        if (const auto words = first_words(*command); !words.empty())
            script += " " + quoted("1:what:(" + joined(words) + ")");
        script += " ;;\n";
    }
    return script +
           "    esac\n"
           "}\n"
           "_porchlight \"$@\"\n";
}

std::string fish_script() {
    std::string script = "complete -c porchlight -f\n";
    const std::string line = "complete -c porchlight -n ";
    for (const Command* command : shown())
        script += line + "__fish_use_subcommand -a " + std::string(command->name) + " -d " +
                  quoted(command->summary) + "\n";
    for (const Command* command : shown()) {
        const std::string seen =
            line + quoted("__fish_seen_subcommand_from " + std::string(command->name));
        for (const Verb& verb : command->verbs)
            script += seen + " -a " + std::string(verb.name) + " -d " + quoted(verb.help) + "\n";
        if (command->verbs.empty())
            for (std::string_view word : first_words(*command))
                script += seen + " -a " + std::string(word) + "\n";
        for (const Option& option : command->options) {
            script += seen;
            if (option.letter != 0) script += std::string(" -s ") + option.letter;
            script += " -l " + std::string(option.name) + " -d " + quoted(option.help);
            if (!option.choices.empty())
                script += " -x -a " + quoted(joined(alternatives(option.choices)));
            else if (!option.argument.empty())
                script += " -r -F";
            script += "\n";
        }
    }
    return script;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell) {
    if (shell == "bash") return bash_script();
    if (shell == "zsh") return zsh_script();
    if (shell == "fish") return fish_script();
    return std::nullopt;
}

int completion_command(const Arguments& arguments) {
    const auto script = completion_script(arguments.words[0]);
    if (!script) return wrong_usage(arguments, "expected bash, zsh or fish");
    std::fputs(script->c_str(), stdout);
    return exit_done;
}

}  // namespace porchlight::agent
