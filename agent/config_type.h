#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/config_json.h"
#include "agent/config_table.h"

namespace porchlight::agent::config {

/// Whether `value`, members left out, is what `setting` says: its type, its bounds, its choices.
bool accepts(const Setting& setting, const Value& value);

/// What `setting` accepts, in words: "an integer from 1 to 65535".
std::string expectation(const Setting& setting);

/// Whether an interface can have this name, as the kernel's dev_valid_name() has it.
bool is_interface(std::string_view text);

/// Whether the setting's values are texts in JSON.
bool is_textual(Type type);

/// "8MiB", "64KiB", "1GiB", "4096B"; nothing for anything else.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// The shortest exact form of the above.
std::string size_text(std::uint64_t octets);

}  // namespace porchlight::agent::config
