#include "acme/base64url.h"

#include <cstdint>

namespace porchlight::acme {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

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

std::optional<Buffer> parse_base64url(std::string_view text) {
    Buffer octets;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const std::size_t value = alphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        octets.push_back(static_cast<std::uint8_t>(bits >> count));
    }
    // Six bits alone are no octet, and what is left over must be zero.
    if (count >= 6 || (bits & ((1u << count) - 1)) != 0) return std::nullopt;
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

}  // namespace porchlight::acme
