#pragma once

#include <string>
#include <vector>

#include "agent/config.h"
#include "net/link.h"

namespace porchlight::agent::setup {

/// What hosts would be told with `config`, in words: the plan and what each carrier makes of it,
/// with this router taken for fit.
std::string preview(const Config& config, const std::vector<net::Link>& links);

}  // namespace porchlight::agent::setup
