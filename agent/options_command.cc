#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "agent/command_line.h"
#include "agent/commands.h"
#include "agent/config.h"
#include "agent/option_codecs.h"
#include "agent/resolver_json.h"
#include "core/storage.h"

namespace porchlight::agent {
namespace {

int fail(std::string_view why) {
    std::cerr << "porchlight: options: " << why << '\n';
    return exit_failed;
}

int decode(Carrier carrier, const OptionForm& form, const std::vector<std::string>& texts) {
    std::vector<Buffer> options;
    for (const std::string& text : texts) {
        auto octets = octets_from_hex(text);
        if (!octets) return fail("the input is not made of pairs of hexadecimal digits");
        options.push_back(*std::move(octets));
    }
    const Result<std::string> json = decode_options(carrier, options, form);
    if (!json) return fail(json.error().message);
    std::cout << *json;
    return exit_done;
}

int encode(Carrier carrier, const OptionForm& form, const std::string& json) {
    const Result<std::vector<Buffer>> options = encode_options(carrier, json, form);
    if (!options) return fail(options.error().message);
    for (const Buffer& option : *options) std::cout << to_hex(option) << '\n';
    return exit_done;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        if (line.find_first_not_of(" \t\r") != line.npos) lines.push_back(line);
    if (lines.empty()) lines.emplace_back();  // an empty option, which its parser refuses
    return lines;
}

}  // namespace

int options_command(const Arguments& arguments) {
    const std::vector<std::string>& words = arguments.words;
    const bool decoding = !words.empty() && words.front() == "decode";
    if (!decoding && (words.empty() || words.front() != "encode"))
        return wrong_usage(arguments, "expected decode or encode");
    const auto carrier = parse_carrier(arguments.value("carrier"));
    if (!carrier) return wrong_usage(arguments, "--carrier is " + std::string(carrier_names));
    const auto format = parse_option_format(arguments.value("format", "rfc9463"));
    if (!format) return wrong_usage(arguments, "--format is " + std::string(option_format_names));
    OptionForm form{*format};
    if (arguments.has("config")) {
        if (form.format == dns::Format::rfc9463)
            return wrong_usage(arguments, "--config needs --format draft-btw-11");
        FileStorage storage;
        const ConfigResult loaded = load_config(config_file(arguments), storage);
        for (const Complaint& complaint : loaded.complaints)
            std::cerr << to_text(complaint) << '\n';
        if (!loaded.config) return exit_wrong;
        form.code_points = loaded.config->announce.forms.code_points;
    }
    std::vector<std::string> inputs(words.begin() + 1, words.end());
    if (inputs.empty() || (!decoding && inputs.size() > 1))
        return wrong_usage(arguments, decoding ? "expected hexadecimal digits, or - for stdin"
                                               : "expected a JSON array, or - for stdin");
    if (inputs == std::vector<std::string>{"-"}) {
        const auto text = read_standard_input();
        if (!text) return fail("more than 1 MiB of input");
        inputs = decoding ? lines_of(*text) : std::vector<std::string>{*text};
    }
    return decoding ? decode(*carrier, form, inputs) : encode(*carrier, form, inputs.front());
}

}  // namespace porchlight::agent
