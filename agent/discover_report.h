#pragma once

#include <optional>
#include <string>

#include "agent/discover_listen.h"
#include "agent/discover_upgrade.h"
#include "agent/discover_verdict.h"

namespace porchlight::agent::discover {

/// Everything that `porchlight discover` found out.
struct Report {
    std::string interface;
    Heard heard;
    Verdict verdict;
    std::optional<Upgrade> upgrade{};  // where a resolver is preconfigured
};

/// For people; the first line is the verdict. Nothing in it but printable ASCII.
std::string to_text(const Report& report);

/// One JSON object, ASCII throughout. docs/discover.md describes the members.
std::string to_json(const Report& report);

}  // namespace porchlight::agent::discover
