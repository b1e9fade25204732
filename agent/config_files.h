#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "agent/config.h"
#include "agent/keeper_protocol.h"
#include "core/clock.h"
#include "core/storage.h"

namespace porchlight::agent {

/// How `config`, which is valid in itself, fits this machine as it is now: files that are missing,
/// damaged or open to others, a key of another certificate, names that no certificate covers,
/// interfaces, users and programs that are not there. Each may be mended while porchlight runs, so
/// none of it makes the configuration wrong.
std::vector<Complaint> examine_machine(std::string_view file_name, const Config& config,
                                       Storage& storage, const TimeSource& time);

/// The first of the files that `config` names whose octets, in `named`, are of no use whatever the
/// day and the name: a pair that no TLS handshake could be done with, roots that trust nobody.
std::optional<Complaint> why_useless(std::string_view file_name, const Config& config,
                                     const World& named);

}  // namespace porchlight::agent
