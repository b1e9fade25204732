#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace porchlight::dns {

/// The :path that a template stands for once its variable `dns` has that value, octets in base64url
/// (RFC 8484 section 6, RFC 6570 section 3.2); other variables are undefined. What a URI can't hold
/// is percent-encoded. `dohpath` is_usable_dohpath.
std::string expand_dohpath(std::string_view dohpath, std::string_view value);

/// The path in front of a template's query: "/dns-query" of "/dns-query{?dns}". None where the
/// variable `dns` is not the whole query, all else as it stands.
std::optional<std::string> path_of(std::string_view dohpath);

}  // namespace porchlight::dns
