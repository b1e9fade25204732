#include "dns/doh_path.h"

#include <algorithm>
#include <cstdint>

namespace porchlight::dns {
namespace {

constexpr std::string_view operators = "+#./;?&";
constexpr std::string_view hex_digits = "0123456789ABCDEF";

/// Whether the expression, without its braces and operator, has the variable.
bool has_dns(std::string_view variables) {
    while (!variables.empty()) {
        const std::size_t end = std::min(variables.find(','), variables.size());
        std::string_view one = variables.substr(0, end);
        one = one.substr(0, one.find_first_of(":*"));
        if (one == "dns") return true;
        variables.remove_prefix(std::min(end + 1, variables.size()));
    }
    return false;
}

std::string expanded(std::string_view expression, std::string_view value) {
    const bool marked = operators.find(expression.front()) != operators.npos;
    const char mark = marked ? expression.front() : '+';
    if (!has_dns(expression.substr(marked ? 1 : 0))) return {};
    std::string text = mark == '+' ? "" : std::string(1, mark);
    if (mark == ';' || mark == '?' || mark == '&') text += "dns=";
    return text.append(value);
}

void append_literal(std::string& path, char c) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (octet > ' ' && octet < 0x7f) {
        path += c;
    } else {
        path += '%';
        path += hex_digits[octet >> 4];
        path += hex_digits[octet & 0xf];
    }
}

}  // namespace

std::string expand_dohpath(std::string_view dohpath, std::string_view value) {
    std::string path;
    for (std::size_t at = 0; at < dohpath.size(); ++at) {
        const std::size_t end = dohpath.find('}', at);
        if (dohpath[at] == '{' && end != dohpath.npos && end > at + 1) {
            path += expanded(dohpath.substr(at + 1, end - at - 1), value);
            at = end;
        } else {
            append_literal(path, dohpath[at]);
        }
    }
    return path;
}

std::optional<std::string> path_of(std::string_view dohpath) {
    constexpr std::string_view query = "{?dns}";
    if (!dohpath.ends_with(query)) return std::nullopt;
    dohpath.remove_suffix(query.size());
    if (dohpath.find_first_of("{?") != dohpath.npos) return std::nullopt;
    return expand_dohpath(dohpath, {});
}

}  // namespace porchlight::dns
