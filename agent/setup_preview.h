#pragma once

#include <optional>
#include <string>

#include "agent/config.h"
#include "agent/setup_found.h"

namespace porchlight::agent::setup {

/// What hosts would be told with `config`, in words: the plan and what each carrier makes of it,
/// with this router taken for fit. Carriers that nobody on this machine would work for are named
/// with the reason. `dnsmasq` is the home's.
std::string preview(const Config& config, const Found& found,
                    const std::optional<DnsmasqFound>& dnsmasq);

}  // namespace porchlight::agent::setup
