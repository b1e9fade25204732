#pragma once

#include <optional>
#include <string>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"

namespace porchlight::acme {

/// What is remembered of attempts for a certificate, over restarts too.
struct Attempts {
    unsigned failures = 0;  // since the last success, change of configuration or user's command
    WallTime last{};        // the attempt's end; means nothing without failures
    std::chrono::seconds retry_after{0};  // what the CA asked for then
    std::uint16_t jitter = 0;             // drawn once an attempt, so that every look says the same
    std::string error_code;               // of the last failure
    std::string error;
    bool operator==(const Attempts&) const = default;
};

/// Dates of the certificate that is in use.
struct Validity {
    WallTime not_before{};
    WallTime not_after{};
};

/// When a certificate should be renewed: at two thirds of its lifetime, at half where it lives for
/// ten days or less, and up to a twentieth of the lifetime earlier, so that homes don't act in
/// step.
WallTime renewal_time(const Validity& certificate, std::uint16_t jitter);

/// When to try next; in the past means now. No certificate: at once. After failures: in 1, 2, 5,
/// 10, 20, 30 min, 1, 2, 3, 6 h, then daily, up to a tenth later, and not before the CA's
/// Retry-After. While less than a twentieth of the lifetime is left no wait of ours is above an
/// hour, or a fiftieth of the lifetime if that is less.
WallTime next_attempt(const std::optional<Validity>& certificate, const Attempts& attempts,
                      WallTime now);

/// The same attempts after one more ended.
Attempts after_failure(Attempts attempts, WallTime now, std::chrono::seconds retry_after,
                       std::string code, std::string error, Random& random);
Attempts after_success(Random& random);

/// As a file's content, JSON, and back.
std::string write_attempts(const Attempts& attempts);
Result<Attempts> parse_attempts(std::string_view text);

}  // namespace porchlight::acme
