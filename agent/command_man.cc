#include <cstdio>

#include "agent/command_help.h"
#include "agent/commands.h"
#include "agent/config.h"
#include "agent/table_text.h"

namespace porchlight::agent {
namespace {

/// Text that troff prints as it is: a '-' that can be copied, no escape, no request.
std::string troff(std::string_view text) {
    std::string safe;
    for (char c : text) {
        if (c == '-')
            safe += "\\-";
        else if (c == '\\')
            safe += "\\e";
        else
            safe += c;
    }
    if (safe.starts_with('.') || safe.starts_with('\'')) safe.insert(0, "\\&");
    return safe;
}

std::string bold(std::string_view text) {
    return "\\fB" + troff(text) + "\\fR";
}

std::string italic(std::string_view text) {
    return text.empty() ? "" : " \\fI" + troff(text) + "\\fR";
}

std::string paragraph(std::string_view text) {
    return wrapped(troff(text), "", 78);
}

std::string item(const std::string& label, std::string_view text) {
    return ".TP\n" + label + '\n' + paragraph(text);
}

std::string command_section(const Command& command) {
    std::string page =
        ".SS " + bold(command.name) + italic(command.arguments) + '\n' + paragraph(command.help);
    for (const Verb& verb : command.verbs)
        page += item(
            bold(std::string(command.name) + " " + std::string(verb.name)) + italic(verb.arguments),
            verb.help);
    for (const Option& option : command.options) {
        std::string label =
            option.letter != 0 ? bold(std::string("-") + option.letter) + ", " : std::string();
        label += bold("--" + std::string(option.name)) + italic(option.argument);
        page += item(label, option.help);
    }
    return page;
}

}  // namespace

std::string man_page() {
    std::string page =
        ".\\\" Made by `porchlight man`.\n"
        ".TH PORCHLIGHT 8 \"\" \"porchlight " PORCHLIGHT_VERSION
        "\" \"System Administration\"\n"
        ".SH NAME\n"
        "porchlight \\- a home router's agent for encrypted DNS\n"
        ".SH SYNOPSIS\n"
        ".B porchlight\n"
        ".I COMMAND\n"
        "[\\fIOPTIONS\\fR]\n"
        ".SH DESCRIPTION\n";
    page += paragraph(
        "porchlight tells every host of a home, by DHCPv4, DHCPv6 and IPv6 Router Advertisement, "
        "which encrypted DNS resolver to use and under which name to authenticate it (RFC 9463). "
        "It can be that resolver, with a certificate that it keeps fresh by ACME, and sends what "
        "it can't answer to an upstream resolver over TLS.");
    page += ".SH COMMANDS\n";
    for (const Command& command : commands())
        if (!command.hidden) page += command_section(command);
    page += ".SH OPTIONS\n";
    page += item(bold("-h") + ", " + bold("--help"), "After a command: all about it.");
    page += item(bold("--version"), "Prints the version.");
    page += ".SH FILES\n";
    page += item("\\fI" + troff(default_config_file) + "\\fR",
                 "The configuration, one JSON object. `porchlight config reference` explains "
                 "every setting.");
    page += item("\\fI/var/lib/porchlight\\fR", "Certificates and what was announced.");
    page += item("\\fI/run/porchlight\\fR", "The control socket and the files for dnsmasq.");
    page += ".SH EXIT STATUS\n";
    page += item("0", "Done.");
    page += item("1", "It failed.");
    page += item("2", "Wrong usage, or a configuration that is not valid.");
    return page + ".SH SEE ALSO\n.BR dnsmasq (8),\n.BR kdig (1)\n";
}

int man_command(const Arguments&) {
    std::fputs(man_page().c_str(), stdout);
    return exit_done;
}

}  // namespace porchlight::agent
