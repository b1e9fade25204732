#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace porchlight {

/// RFC 4648 section 5, without padding, as JOSE and DNS over HTTPS want it (RFC 7515 section 2,
/// RFC 8484 section 6).
std::string base64url(Bytes octets);
/// The inverse. Nothing for padding, foreign characters, or bits left over.
std::optional<Buffer> parse_base64url(std::string_view text);
/// The same into memory that is there already, in place of what it held; false: nothing of use.
bool parse_base64url(std::string_view text, Buffer& into);
/// RFC 4648 section 4, padded, as key files of name servers hold it. Nothing for anything else.
std::optional<Buffer> parse_base64(std::string_view text);

}  // namespace porchlight
