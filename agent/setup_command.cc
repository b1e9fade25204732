#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>

#include "agent/commands.h"
#include "agent/config.h"
#include "agent/config_files.h"
#include "agent/odhcpd.h"
#include "agent/setup_interview.h"
#include "agent/setup_look.h"
#include "agent/setup_preview.h"
#include "core/escape.h"

namespace porchlight::agent {
namespace {

int fail(const Error& error) {
    std::fprintf(stderr, "porchlight setup: %s; nothing was written\n",
                 escape(error.message).c_str());
    return error.code == Errc::malformed ? exit_wrong : exit_failed;
}

struct Target {
    std::string file;  // absolute, behind links
    bool exists = false;
    unsigned mode = 0644;
};

Result<Target> target_of(const std::string& named) {
    std::error_code failed;
    Target target;
    target.file = std::filesystem::weakly_canonical(named, failed).string();
    if (failed) return Error{Errc::internal, named + ": " + failed.message()};
    struct stat found {};
    target.exists = ::stat(target.file.c_str(), &found) == 0;
    if (target.exists) target.mode = found.st_mode & 0777;
    return target;
}

Result<void> write(const Target& target, const std::string& json, Storage& storage) {
    const std::string directory = std::filesystem::path(target.file).parent_path().string();
    if (auto made = storage.make_directory(directory, 0755); !made) return made;
    return storage.write_whole(target.file, bytes_of(json), target.mode);
}

/// Whether the file may be written; asked last, once all is to be seen.
Result<bool> may_write(const Target& target, setup::Dialogue& dialogue) {
    const bool replace = target.exists && !dialogue.arguments().has("force");
    const std::string file = escape(target.file);
    if (replace) return dialogue.confirm(file + " is there already. Replace it?", false);
    return dialogue.confirm("Write " + file + "?", true);
}

/// The home's links, as far as they are known before anybody was asked.
std::vector<std::string> expected_lan(const Arguments& arguments, const setup::Proposal& proposal) {
    const auto named = arguments.options.find("lan");
    return named == arguments.options.end() ? proposal.lan : named->second;
}

bool odhcpd_would_serve(const std::vector<std::string>& lan) {
    const auto home = setup::home_of(lan);
    if (!home) return false;
    const Result<bool> serves = odhcpd_serves(*home);
    return serves && *serves;
}

}  // namespace

int setup_command(const Arguments& arguments) {
    const auto target = target_of(config_file(arguments));
    if (!target) return fail(target.error());
    const bool only_shown = arguments.has("dry-run");
    if (arguments.has("yes") && target->exists && !arguments.has("force") && !only_shown)
        return fail({Errc::refused, target->file + " is there already; --force replaces it"});
    FileStorage storage;
    auto found = setup::look(storage);
    if (!found) return fail(found.error());
    const setup::Proposal proposal = setup::propose(*found);
    // One that serves other links is nothing to this home.
    const bool odhcpd_runs = found->odhcpd;
    const std::vector<std::string> expected = expected_lan(arguments, proposal);
    found->odhcpd = odhcpd_runs && odhcpd_would_serve(expected);
    setup::Dialogue dialogue(std::cin, std::cout, arguments, ::isatty(STDIN_FILENO) == 0);
    dialogue.say(setup::describe(*found, proposal));

    auto choices = setup::interview(*found, proposal, dialogue);
    if (!choices) return fail(choices.error());
    if (choices->lan != expected)
        choices->odhcpd = found->odhcpd = odhcpd_runs && odhcpd_would_serve(choices->lan);
    const std::string json = setup::configuration(*choices);
    const ConfigResult parsed = parse_config(target->file, bytes_of(json));
    for (const Complaint& complaint : parsed.complaints)
        std::fprintf(stderr, "%s\n", to_text(complaint).c_str());
    if (!parsed.config) return fail({Errc::malformed, "that is no valid configuration"});
    dialogue.say("\n" + setup::preview(*parsed.config, *found, proposal.dnsmasq) + "\n");
    if (only_shown) {
        dialogue.say(json);
        return exit_done;
    }

    const auto agreed = may_write(*target, dialogue);
    if (!agreed) return fail(agreed.error());
    if (!*agreed) return fail({Errc::refused, "as you wish"});
    if (auto written = write(*target, json, storage); !written) return fail(written.error());
    dialogue.say(escape(target->file) + ": written\n");
    const Fit fit = examine_machine(target->file, *parsed.config, storage, SystemTime());
    for (const auto& complaints : {fit.faults, fit.warnings})
        for (const Complaint& one : complaints) dialogue.say("warning: " + to_text(one) + '\n');
    return exit_done;
}

}  // namespace porchlight::agent
