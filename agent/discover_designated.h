#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agent/discover_told.h"

namespace porchlight::agent::discover {

/// Asks in clear text, all at once, every plain resolver that the network named for the encrypted
/// ones that it designates (RFC 9462 section 4), and for those of each name that was offered alone
/// (section 5, RFC 9463 section 3.1.6). Adds what they say to `told`, and to `notes` who did not
/// answer. Targets without an address are looked up after that, likewise all at once: each of both
/// rounds takes `within` at most, whatever anybody answers. `scope` is the interface that
/// link-local addresses are reached by.
void ask_designations(std::vector<Told>& told, std::vector<std::string>& notes, std::uint32_t scope,
                      std::chrono::milliseconds within);

}  // namespace porchlight::agent::discover
