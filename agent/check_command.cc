#include <cstdio>

#include "agent/commands.h"
#include "agent/config.h"
#include "agent/config_files.h"
#include "core/escape.h"

namespace porchlight::agent {

int check_command(const Arguments& arguments) {
    const std::string file = config_file(arguments);
    FileStorage storage;
    const ConfigResult loaded = load_config(file, storage);
    for (const Complaint& complaint : loaded.complaints)
        std::fprintf(stderr, "%s\n", to_text(complaint).c_str());
    if (!loaded.config) return exit_wrong;
    const Fit fit = examine_machine(file, *loaded.config, storage, SystemTime());
    for (const Complaint& fault : fit.faults)
        std::fprintf(stderr, "%s; porchlight does not start without it\n", to_text(fault).c_str());
    if (fit.faults.empty()) std::printf("%s: good\n", escape(file).c_str());
    for (const Complaint& warning : fit.warnings)
        std::printf("warning: %s\n", to_text(warning).c_str());
    return fit.faults.empty() ? exit_done : exit_wrong;
}

}  // namespace porchlight::agent
