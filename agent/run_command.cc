#include <cstdio>

#include "agent/accepted_config.h"
#include "agent/commands.h"
#include "agent/config.h"
#include "agent/keeper.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

/// A daemon that can't start must not leave standing what a power cut left behind: dnsmasq would
/// wait for servers that don't come. The last configuration that was good says where to look.
void withdraw_what_stands(Bytes json, Storage& storage) {
    const auto accepted = find_accepted(json, storage);
    if (!accepted) return;
    std::fprintf(stderr, "withdrawing what may still stand, going by %s\n", accepted->file.c_str());
    (void)withdraw_command({"withdraw", {}, {{"config", {accepted->file}}}});
}

}  // namespace

int run_command(const Arguments& arguments) {
    FileStorage storage;
    const std::string file = config_file(arguments);
    auto json = storage.read(file);
    if (!json) {
        std::fprintf(stderr, "%s\n", json.error().message.c_str());
        withdraw_what_stands({}, storage);
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
