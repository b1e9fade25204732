#include <sys/stat.h>

#include <cstdio>
#include <filesystem>

#include "agent/commands.h"
#include "agent/config.h"
#include "agent/config_check.h"
#include "agent/config_edit.h"
#include "agent/config_json.h"
#include "agent/config_reference.h"

namespace porchlight::agent {
namespace {

int print(const std::string& text) {
    return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? exit_failed
                                                                            : exit_done;
}

int fail(const std::string& why) {
    std::fprintf(stderr, "porchlight config: %s\n", why.c_str());
    return exit_failed;
}

int refuse(const std::vector<Complaint>& complaints) {
    for (const Complaint& complaint : complaints)
        std::fprintf(stderr, "%s\n", to_text(complaint).c_str());
    return exit_wrong;
}

/// The configuration in force, with defaults. Says itself what is wrong.
std::optional<config::Value> load_whole(const std::string& file) {
    FileStorage storage;
    const auto json = storage.read(file);
    if (!json) {
        refuse({{file, "", json.error().message}});
        return std::nullopt;
    }
    if (const auto wrong = parse_config(file, *json).complaints; !wrong.empty()) {
        refuse(wrong);
        return std::nullopt;
    }
    return config::complete(*config::read_json(file, *json).value);
}

/// One line a value that has none below it: "/resolver/dot/port = 853  (default)".
void append_lines(std::string& out, const config::Value& value, const std::string& pointer) {
    if (value.members.empty()) {
        out += pointer + " = " + config::to_json_line(value);
        out += value.from_file ? "  (file)\n" : "  (default)\n";
        return;
    }
    for (std::size_t i = 0; i < value.members.size(); ++i) {
        const auto& [name, member] = value.members[i];
        const bool list = value.kind == config::Kind::list;
        append_lines(out, member, list ? config::below(pointer, i) : config::below(pointer, name));
    }
}

int print_whole(const Arguments& arguments) {
    const auto whole = load_whole(config_file(arguments));
    if (!whole) return exit_wrong;
    if (arguments.has("json")) return print(config::to_json(*whole) + '\n');
    std::string lines;
    append_lines(lines, *whole, "");
    return print(lines);
}

int get(const Arguments& arguments) {
    const std::string& pointer = arguments.words[1];
    const auto whole = load_whole(config_file(arguments));
    if (!whole) return exit_wrong;
    const config::Value* value = config::find(*whole, pointer);
    if (value == nullptr) return fail("nothing is set at " + pointer);
    // A text is printed bare, for scripts.
    const bool bare = value->kind == config::Kind::text && !arguments.has("json");
    return print((bare ? value->text : config::to_json(*value)) + '\n');
}

int set(const Arguments& arguments) {
    const std::string named = config_file(arguments);
    FileStorage storage;
    auto json = storage.read(named);
    if (!json && json.error().code != Errc::unavailable) return fail(json.error().message);
    const Bytes before = json ? Bytes(*json) : bytes_of("{}");
    const config::Edited edited =
        config::set_value(named, before, arguments.words[1], arguments.words[2]);
    if (!edited.complaints.empty()) return refuse(edited.complaints);
    // Absolute, as storage wants it, and the file itself where a link points at it.
    std::error_code failed;
    const std::string file = std::filesystem::weakly_canonical(named, failed).string();
    if (failed) return fail(named + ": " + failed.message());
    struct stat found {};
    const unsigned mode = ::stat(file.c_str(), &found) == 0 ? found.st_mode & 0777 : 0644;
    const auto written = storage.write_whole(file, bytes_of(edited.json), mode);
    return written ? exit_done : fail(written.error().message);
}

}  // namespace

int config_command(const Arguments& arguments) {
    const std::string& verb = arguments.words[0];
    if (verb == "get") return get(arguments);
    if (verb == "set") return set(arguments);
    if (verb == "print") return print_whole(arguments);
    return print(verb == "schema" ? config::json_schema() : config::reference_page());
}

}  // namespace porchlight::agent
