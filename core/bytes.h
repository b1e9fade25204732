#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace porchlight {

/// Octets that somebody else owns.
using Bytes = std::span<const std::uint8_t>;
/// Octets that the holder owns.
using Buffer = std::vector<std::uint8_t>;

inline Bytes bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline bool equal(Bytes a, Bytes b) {
    return text_of(a) == text_of(b);
}

/// Lower-case hexadecimal digits, two an octet, `separator` between octets unless it is 0.
std::string to_hex(Bytes bytes, char separator = 0);

}  // namespace porchlight
