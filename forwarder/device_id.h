#pragma once

#include <span>
#include <string>
#include <string_view>

namespace porchlight::forwarder {

// A host may say which device it is by what its user typed into it: the name of the resolver with
// the device's id before it, or the path of DNS over HTTPS with the id behind it. It proves
// nothing: whoever knows an id may say it. An id is one label of letters, digits and hyphens, whose
// capitals don't count, as they don't in a host's name.

/// Octets of an id (RFC 1035 section 2.3.4).
inline constexpr std::size_t device_id_octets_max = 63;

bool same_device(std::string_view a, std::string_view b);

/// The label before `adn` in the name that a client asks TLS for (RFC 6066 section 3): "tablet" of
/// "tablet.dns.example.net". Empty for any other name, and without an `adn`.
std::string_view device_in_name(std::string_view server_name, std::string_view adn);

/// The step behind one of `paths`: "tablet" of "/dns-query/tablet". Empty for any other path.
std::string_view device_in_path(std::string_view path, std::span<const std::string> paths);

}  // namespace porchlight::forwarder
