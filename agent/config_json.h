#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config.h"

namespace porchlight::agent::config {

enum class Kind { null, boolean, number, text, list, object };

struct Member;

/// One JSON value. Members keep the order of the file, so that what a person wrote comes back as
/// they wrote it.
struct Value {
    Kind kind = Kind::null;
    std::string text;                     // of text; of a number or boolean, as JSON writes it
    std::optional<std::int64_t> integer;  // of a number that is one
    std::vector<Member> members;          // of a list (without names) or an object
    bool from_file = true;                // false: a default

    Value();
    explicit Value(Kind its_kind, std::string its_text = {});
    Value* find(std::string_view name);
    const Value* find(std::string_view name) const;
};

struct Member {
    std::string name;
    Value value;
};

/// Deeper or larger than any honest configuration.
inline constexpr std::size_t depth_max = 64;
inline constexpr std::size_t file_octets_max = 256 << 10;

/// The tree, or complaints: wrong syntax by line and column, keys given twice, a limit above.
struct Parsed {
    std::optional<Value> value;
    std::vector<Complaint> complaints;
};
Parsed read_json(std::string_view file_name, Bytes json);

/// `text` must be JSON that is known to be good: a default of the table.
Value known_json(std::string_view text);
Value text_value(std::string_view text);

/// Indented by two blanks a level, or in one line. ASCII only. No line break at the end.
std::string to_json(const Value& value);
std::string to_json_line(const Value& value);

/// `pointer` with one more step (RFC 6901 section 3).
std::string below(std::string_view pointer, std::string_view name);
std::string below(std::string_view pointer, std::size_t index);
/// The steps of a pointer; nothing if it is none.
std::optional<std::vector<std::string>> parse_pointer(std::string_view pointer);
/// What `pointer` points at, or null.
const Value* find(const Value& root, std::string_view pointer);

}  // namespace porchlight::agent::config
