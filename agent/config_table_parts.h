#pragma once

#include <span>

#include "agent/config_table.h"

namespace porchlight::agent::config {

// The table's parts, in the order of the manual.
std::span<const Setting> home_settings();
std::span<const Setting> resolving_settings();
std::span<const Setting> guard_settings();
std::span<const Setting> certificate_settings();
std::span<const Setting> process_settings();

/// In the units of Setting::min and Setting::max.
namespace unit {
constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
constexpr std::int64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
}  // namespace unit

}  // namespace porchlight::agent::config
