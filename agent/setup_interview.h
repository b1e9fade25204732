#pragma once

#include <string>

#include "agent/setup_choices.h"
#include "agent/setup_dialogue.h"
#include "agent/setup_found.h"

namespace porchlight::agent::setup {

/// What was found, in words.
std::string describe(const Found& found, const Proposal& proposal);

/// Asks for whatever can't be told from what was found, and which resolver it shall be.
Result<Choices> interview(const Found& found, const Proposal& proposal, Dialogue& dialogue);

}  // namespace porchlight::agent::setup
