#pragma once

#include <cstdint>

namespace porchlight::forwarder {

/// What a request over HTTP comes to (RFC 8484 section 4.2.1, RFC 9110 section 15). Whatever DNS
/// has to say, SERVFAIL too, is `ok`.
enum class HttpStatus : std::uint16_t {
    ok = 200,
    bad_request = 400,
    not_found = 404,
    method_not_allowed = 405,
    not_acceptable = 406,
    content_too_large = 413,
    uri_too_long = 414,
    unsupported_media_type = 415,
    too_many_requests = 429,
    fields_too_large = 431,
    unavailable = 503,
};

}  // namespace porchlight::forwarder
