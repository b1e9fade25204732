#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "core/storage.h"

namespace porchlight::agent {

/// The directories that a file names which is not valid as a whole. It may be under edit, with a
/// comma or a bracket amiss anywhere, so each is looked for by its key alone; the default where
/// the file doesn't say.
struct NamedDirectories {
    std::string state;
    std::string runtime;
    bool operator==(const NamedDirectories&) const = default;
};
NamedDirectories named_directories(Bytes json);

/// The configuration that a daemon last took. It stands in the state directory for as long as
/// something may still be announced.
struct AcceptedConfig {
    std::string file;
    Config config;
};

/// That of the state directory which a file of these octets names, else that of the default one.
std::optional<AcceptedConfig> find_accepted(Bytes json, Storage& storage);

/// What a command goes by that must find a daemon, or what one left behind, whatever became of the
/// user's file: edited and never taken, that names other places.
struct UsableConfig {
    std::optional<Config> config;    // the accepted one; where none is kept, the file's
    std::string runtime_directory;   // its; without any, what the file names or the default
    std::vector<std::string> notes;  // lines for the user: what it is instead of the file's, or
                                     // everything that is wrong with that
    bool nothing_stands = false;     // no configuration, for none was taken that is still in use
};
UsableConfig usable_config(const std::string& file, Storage& storage);

}  // namespace porchlight::agent
