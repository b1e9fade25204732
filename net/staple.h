#pragma once

#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"

namespace porchlight::net {

// What says that a certificate is not revoked, so that a server can show it along (OCSP, RFC 6960;
// RFC 6066 section 8). Chains are PEM, the leaf first and its issuer behind it. No I/O.

/// Larger ones are refused: a staple is part of every handshake that asks for it.
inline constexpr std::size_t staple_octets_max = 16384;

/// What a chain says of staples.
struct StaplingTerms {
    std::string responder;  // the leaf's first responder at an http URL; empty: it names none
    bool required = false;  // hosts that know RFC 7633 refuse the leaf without a staple
    bool operator==(const StaplingTerms&) const = default;
};

/// Of a chain that can't be read: nothing.
StaplingTerms stapling_terms(Bytes chain_pem);

/// The request for the leaf's status, DER. Without a nonce, so that a responder may answer from a
/// store (RFC 5019 section 2.1.1). Fails with `malformed` where the issuer is not in the chain.
Result<Buffer> staple_request(Bytes chain_pem);

/// When a response says what it says.
struct StapleSpan {
    WallTime this_update{};
    WallTime next_update{};
    bool operator==(const StapleSpan&) const = default;
};

/// Of a response that says the leaf is good: signed by the leaf's issuer, or by one to whom the
/// issuer delegated that. At `wall` its time has begun and is not over; none: no date is judged.
/// Fails with `refused` where the certificate is revoked or nobody knows it, `unavailable` where
/// the responder can't say now, else `malformed`.
Result<StapleSpan> check_staple(Bytes chain_pem, Bytes response_der, std::optional<WallTime> wall);

}  // namespace porchlight::net
