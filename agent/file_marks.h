#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/config.h"

namespace porchlight::agent {

/// What changes whenever a file is written or another takes its name, without reading it.
struct FileMark {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t octets = 0;
    std::pair<std::int64_t, std::int64_t> modified{};  // seconds and nanoseconds
    bool operator==(const FileMark&) const = default;
};

/// Of each path, in their order; none where there is no such file.
using FileMarks = std::vector<std::optional<FileMark>>;
FileMarks marks_of(const std::vector<std::string>& paths);

/// The files with certificates and keys that `config` names, which other programs renew.
std::vector<std::string> renewed_by_others(const Config& config);

}  // namespace porchlight::agent
