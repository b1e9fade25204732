#include "forwarder/device_id.h"

#include <algorithm>

namespace porchlight::forwarder {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// `text` where it is no longer than an id and has no `separator`; else nothing.
std::string_view one_step(std::string_view text, char separator) {
    const bool is_one = text.size() <= device_id_octets_max && text.find(separator) == text.npos;
    return is_one ? text : std::string_view();
}

}  // namespace

bool same_device(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view device_in_name(std::string_view server_name, std::string_view adn) {
    if (adn.empty() || server_name.size() <= adn.size() + 1) return {};
    const std::size_t dot = server_name.size() - adn.size() - 1;
    if (server_name[dot] != '.' || !same_device(server_name.substr(dot + 1), adn)) return {};
    return one_step(server_name.substr(0, dot), '.');
}

std::string_view device_in_path(std::string_view path, std::span<const std::string> paths) {
    for (const std::string_view served : paths) {
        if (!path.starts_with(served)) continue;
        std::string_view rest = path.substr(served.size());
        if (!served.ends_with('/')) {
            if (!rest.starts_with('/')) continue;
            rest.remove_prefix(1);
        }
        if (const std::string_view device = one_step(rest, '/'); !device.empty()) return device;
    }
    return {};
}

}  // namespace porchlight::forwarder
