#include <cstdio>

#include "agent/commands.h"
#include "agent/config.h"
#include "agent/keeper.h"
#include "core/log.h"

namespace porchlight::agent {

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
    if (!parsed.config) return exit_wrong;
    log::start(parsed.config->log.target, parsed.config->log.level, "keeper");
    return Keeper(file, std::move(*parsed.config), std::move(*json), storage).run();
}

}  // namespace porchlight::agent
