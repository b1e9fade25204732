#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace porchlight::forwarder {

/// The name of a network interface, or none. It has the kernel's size (IFNAMSIZ, with a zero behind
/// the longest name), so that a connection keeps the link it came by without memory of its own.
struct LinkName {
    std::array<char, 16> octets{};  // zeros behind the name
    bool operator==(const LinkName&) const = default;
};

/// What is longer than any interface's name is cut.
inline LinkName link_name(std::string_view text) {
    LinkName name;
    std::copy_n(text.begin(), std::min(text.size(), name.octets.size() - 1), name.octets.begin());
    return name;
}

}  // namespace porchlight::forwarder
