#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "agent/commands.h"
#include "agent/config.h"
#include "agent/keeper.h"
#include "agent/state_files.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

/// The state directory that a file names which is not valid otherwise; nothing where that can't be
/// told.
std::optional<std::string> state_directory_of(Bytes json) {
    const auto parsed = nlohmann::json::parse(text_of(json), nullptr, false);
    if (!parsed.is_object()) return std::nullopt;
    const auto found = parsed.find("state_directory");
    if (found == parsed.end()) return std::string(default_state_directory);
    return found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}

/// A daemon that can't start must not leave standing what a power cut left behind: dnsmasq would
/// wait for servers that don't come. The last configuration that was good says where to look.
void withdraw_what_stands(Bytes json, Storage& storage) {
    const auto state = state_directory_of(json);
    if (!state || !storage.read(accepted_config(*state))) return;
    (void)withdraw_command({"withdraw", {}, {{"config", {accepted_config(*state)}}}});
}

}  // namespace

int run_command(const Arguments& arguments) {
    FileStorage storage;
    const std::string file = config_file(arguments);
    auto json = storage.read(file);
    if (!json) {
        std::fprintf(stderr, "%s\n", json.error().message.c_str());
        return exit_wrong;
    }
    ConfigResult parsed = parse_config(file, *json);
    for (const Complaint& complaint : parsed.complaints)
        std::fprintf(stderr, "%s\n", to_text(complaint).c_str());
    if (!parsed.config) {
        withdraw_what_stands(*json, storage);
        return exit_wrong;
    }
    log::start(parsed.config->log.target, parsed.config->log.level, "keeper");
    return Keeper(file, std::move(*parsed.config), std::move(*json), storage).run();
}

}  // namespace porchlight::agent
