#pragma once

#include <string>

#include "agent/config.h"
#include "agent/keeper_protocol.h"
#include "core/storage.h"

namespace porchlight::agent {

/// A configuration that a daemon which runs by another one could take.
struct Candidate {
    Config config;
    World named;  // the configuration itself, and what is in the files that it names
};

/// Judges `config_json`, which came from `config_file`, for a daemon that runs by `current`. Every
/// complaint of the text is logged; fails with the first reason why it can't be taken: the text is
/// wrong, a file that it names is missing or useless, or it changes what only a restart can.
Result<Candidate> judge_candidate(const std::string& config_file, Bytes config_json,
                                  const Config& current, Storage& storage);

}  // namespace porchlight::agent
