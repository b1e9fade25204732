#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "agent/config.h"
#include "agent/keeper_protocol.h"
#include "core/clock.h"
#include "core/storage.h"

namespace porchlight::agent {

/// How a configuration fits this machine.
struct Fit {
    /// Files without which `run` does not start and no reload is taken. One that only this user
    /// can't read is not among them: porchlight runs as another.
    std::vector<Complaint> faults;
    /// What may be mended while porchlight runs.
    std::vector<Complaint> warnings;
};

/// How `config`, which is valid in itself, fits this machine as it is now: files that are missing,
/// damaged or open to others, a key of another certificate, names that no certificate covers,
/// interfaces, users and programs that are not there.
Fit examine_machine(std::string_view file_name, const Config& config, Storage& storage,
                    const TimeSource& time);

/// The first of the files that `config` names whose octets, in `named`, are of no use whatever the
/// day and the name: a pair that no TLS handshake could be done with, roots that trust nobody.
std::optional<Complaint> why_useless(std::string_view file_name, const Config& config,
                                     const World& named);

}  // namespace porchlight::agent
