#pragma once

#include <optional>
#include <string>

#include "agent/config.h"
#include "core/file_descriptor.h"
#include "core/result.h"
#include "core/storage.h"

namespace porchlight::agent {

/// What of a dnsmasq that one configuration fed the next one does not go on with.
struct LeftBehind {
    bool dnsmasq = false;   // everything: it is told nothing any more, or by files elsewhere
    bool fragment = false;  // the fragment alone, which is written in another place now
    bool operator==(const LeftBehind&) const = default;
};
/// `next` has concrete carriers (agent/carriers.h); of `former` only the places count.
LeftBehind left_behind(const Config& former, const Config& next);

/// Whether what hosts were told under `former` may be told again under `next` before anything was
/// looked at. What decides no option is passed over; a setting that nobody thought of here counts.
bool tells_alike(Config former, const Config& next);

/// A run that did not end cleanly: the configuration that it had taken is still kept, and says what
/// may stand.
struct FormerRun {
    std::string file;  // that configuration's
    Config config;
    bool alike = false;   // tells_alike, of it and the new one
    FileDescriptor lock;  // of its runtime directory, where that is another; else ours is enough
};

/// The former run that `next`, which came from `config_json` and whose lock is held, comes after;
/// none if everything was withdrawn. Fails where that run is under way.
Result<std::optional<FormerRun>> find_former_run(const Config& next, Bytes config_json,
                                                 Storage& storage);

/// Takes over, or back, what lies in directories that `next` does not look into: the list of what
/// Router Advertisements told, and what stands in UCI.
Result<void> empty_former_directories(const FormerRun& former, const Config& next,
                                      Storage& storage);

}  // namespace porchlight::agent
