#pragma once

#include <optional>
#include <string>

#include "acme/job.h"
#include "core/result.h"

namespace porchlight::acme {

/// TSIG (RFC 8945): a message and the time, vouched for by a shared key.
inline constexpr std::chrono::seconds tsig_fudge{300};

/// What a server finds wrong with a TSIG (RFC 8945 section 5.2).
namespace tsig_error {
inline constexpr std::uint16_t bad_sig = 16, bad_key = 17, bad_time = 18;
}

/// What an answer's TSIG said. Times are seconds since 1970.
struct TsigAnswer {
    std::uint16_t error = 0;              // a tsig_error
    std::optional<WallTime> server_time;  // with BADTIME: the server's clock
};

/// Whether there is an HMAC of that name here.
bool is_tsig_algorithm(std::string_view name);

/// Appends a TSIG record to `message` and counts it in. Returns the MAC, which the answer is
/// verified with. The algorithm is known.
Buffer sign_tsig(Buffer& message, const TsigKey& key, WallTime now);

/// Verifies the TSIG of the answer to a request that was signed with `request_mac`. An answer
/// whose key or MAC the server refused is unsigned (section 5.3.2) and passes with its `error` set.
/// Fails with `refused` on a missing or wrong TSIG, `malformed` on a broken message.
Result<TsigAnswer> verify_tsig(Bytes answer, const TsigKey& key, Bytes request_mac, WallTime now);

}  // namespace porchlight::acme
