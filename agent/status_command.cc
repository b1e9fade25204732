#include <charconv>
#include <cstdio>

#include "agent/accepted_config.h"
#include "agent/commands.h"
#include "agent/control_server.h"
#include "agent/queries.h"
#include "agent/state_files.h"
#include "agent/status.h"

namespace porchlight::agent {
namespace {

/// Asks the daemon of the configuration that `arguments` name; says what is wrong itself. The file
/// may be the one whose reload was refused, which is what the answer is about then.
std::optional<std::string> ask(const Arguments& arguments, std::string_view request, int& exit) {
    FileStorage storage;
    const UsableConfig usable = usable_config(config_file(arguments), storage);
    for (const std::string& note : usable.notes) std::fprintf(stderr, "%s\n", note.c_str());
    exit = usable.config ? exit_failed : exit_wrong;
    auto answer = ask_daemon(control_socket(usable.runtime_directory), request);
    if (answer) return std::move(*answer);
    const bool denied = answer.error().code == Errc::denied;
    std::fprintf(stderr, "%s: %s\n",
                 denied ? "only root may ask the daemon" : "porchlight is not running here",
                 answer.error().message.c_str());
    return std::nullopt;
}

}  // namespace

int status_command(const Arguments& arguments) {
    int exit = exit_done;
    const auto json = ask(arguments, "status", exit);
    if (!json) return exit;
    if (arguments.has("json")) {
        std::printf("%s\n", json->c_str());
        return exit_done;
    }
    auto text = status_text(*json);
    if (!text) {
        std::fprintf(stderr, "%s\n", text.error().message.c_str());
        return exit_failed;
    }
    std::printf("%s", text->c_str());
    return exit_done;
}

int metrics_command(const Arguments& arguments) {
    int exit = exit_done;
    const auto text = ask(arguments, "metrics", exit);
    if (!text) return exit;
    if (!text->starts_with("# ")) {
        std::fprintf(stderr, "the daemon knows no metrics; it is older than this program\n");
        return exit_failed;
    }
    std::printf("%s", text->c_str());
    return exit_done;
}

int queries_command(const Arguments& arguments) {
    const std::string given = arguments.value("count", "100");
    std::size_t count = 0;
    const auto read = std::from_chars(given.data(), given.data() + given.size(), count);
    if (read.ec != std::errc() || read.ptr != given.data() + given.size())
        return wrong_usage(arguments, "--count takes a number");
    int exit = exit_done;
    const auto json = ask(arguments, "queries", exit);
    if (!json) return exit;
    if (json->starts_with(refusal)) {
        std::fprintf(stderr, "%s\n", json->c_str());
        return exit_failed;
    }
    if (arguments.has("json") && !arguments.has("count")) {
        std::printf("%s\n", json->c_str());
        return exit_done;
    }
    const auto text =
        arguments.has("json") ? newest_queries(*json, count) : queries_text(*json, count);
    if (!text) {
        std::fprintf(stderr, "%s\n", text.error().message.c_str());
        return exit_failed;
    }
    std::printf("%s", text->c_str());
    return exit_done;
}

int unblock_command(const Arguments& arguments) {
    int exit = exit_done;
    const auto answer = ask(arguments, "unblock", exit);
    if (!answer) return exit;
    std::printf("%s\n", answer->c_str());
    return exit_done;
}

int certificate_command(const Arguments& arguments) {
    int exit = exit_done;
    const bool renew = !arguments.words.empty() && arguments.words[0] == "renew";
    const auto answer = ask(arguments, renew ? "renew" : "status", exit);
    if (!answer) return exit;
    if (renew) {
        const bool refused = answer->starts_with(refusal);
        std::fprintf(refused ? stderr : stdout, "%s\n", answer->c_str());
        return refused ? exit_failed : exit_done;
    }
    auto text = certificate_text(*answer);
    if (!text) {
        std::fprintf(stderr, "%s\n", text.error().message.c_str());
        return exit_failed;
    }
    std::printf("%s", text->c_str());
    return exit_done;
}

}  // namespace porchlight::agent
