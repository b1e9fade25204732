#include "core/base64url.h"

#include <array>
#include <cstdint>

namespace porchlight {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t foreign = 64;

/// What each character stands for: every question that comes by GET goes through here.
constexpr std::array<std::uint8_t, 256> values = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(foreign);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return table;
}();

}  // namespace

std::string base64url(Bytes octets) {
    std::string text;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const std::uint8_t octet : octets) {
        bits = bits << 8 | octet;
        for (count += 8; count >= 6; count -= 6) text += alphabet[bits >> (count - 6) & 0x3f];
    }
    if (count > 0) text += alphabet[bits << (6 - count) & 0x3f];
    return text;
}

bool parse_base64url(std::string_view text, Buffer& into) {
    into.clear();
    into.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const std::uint8_t value = values[static_cast<std::uint8_t>(c)];
        if (value == foreign) return false;
        bits = bits << 6 | value;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        into.push_back(static_cast<std::uint8_t>(bits >> count));
    }
    // Six bits alone are no octet, and what is left over must be zero.
    return count < 6 && (bits & ((1u << count) - 1)) == 0;
}

std::optional<Buffer> parse_base64url(std::string_view text) {
    Buffer octets;
    if (!parse_base64url(text, octets)) return std::nullopt;
    return octets;
}

std::optional<Buffer> parse_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string url(text);
    for (int padding = 0; padding < 2 && url.ends_with('='); ++padding) url.pop_back();
    for (char& c : url) {
        if (c == '-' || c == '_') return std::nullopt;
        if (c == '+') c = '-';
        if (c == '/') c = '_';
    }
    return parse_base64url(url);
}

}  // namespace porchlight
