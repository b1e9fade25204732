#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/result.h"

namespace porchlight::acme {

/// Why an attempt for a certificate ended, the same in log, status and store.
struct Failure {
    std::string code;     // stable and machine-readable: "dns-update.badkey", "acme.rateLimited"
    std::string message;  // for people
    std::chrono::seconds retry_after{0};  // what the CA asked for; 0: nothing
};

/// A failure on the way to a peer: "<where>.timeout", ".unreachable", ".not-authenticated",
/// ".malformed" or ".internal".
inline Failure failure_of(std::string_view where, const Error& error) {
    const char* what = error.code == Errc::timeout       ? ".timeout"
                       : error.code == Errc::unavailable ? ".unreachable"
                       : error.code == Errc::refused     ? ".not-authenticated"
                       : error.code == Errc::malformed   ? ".malformed"
                                                         : ".internal";
    return {std::string(where) + what, error.message};
}

}  // namespace porchlight::acme
