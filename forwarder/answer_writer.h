#pragma once

#include <cstdint>
#include <optional>

#include "core/writer.h"
#include "dns/query.h"

namespace porchlight::forwarder {

/// What the transport that an answer leaves by allows and asks for.
struct Carrier {
    bool encrypted = false;          // then padding, where the client padded (RFC 8467 section 4)
    std::size_t octets_max = 65535;  // of a whole message; above it an answer says TC
    /// How long this connection may idle from now, in units of 100 ms (RFC 7828); none: UDP.
    std::optional<std::uint16_t> keepalive = {};
    /// Nobody asks again another way: what is too large for an OPT beside it goes without.
    bool truncates = true;
};

/// Over UDP: what the client can take, and no more than a path without fragments (loopback).
Carrier udp_carrier(const dns::Query& query);

/// Makes the whole response that stands in `out` from `start` on the answer to `query`: its ID, RD,
/// CD and letter case (RFC 1034 section 3.1), and AD only where that is wanted. The response asks
/// the same name.
void adopt(Writer& out, std::size_t start, const dns::Query& query);

/// Ends an answer that has no OPT yet: adds one if the query had one (RFC 6891 section 7), in it an
/// extended error, the keepalive that was asked for, and padding, last and to blocks of 468. What
/// is larger than the carrier takes becomes question, OPT and TC, where that is of use.
void finish(Writer& out, std::size_t start, const dns::Query& query, const Carrier& carrier,
            std::optional<std::uint16_t> extended_error = {});

/// Appends a whole answer without records. `rcode` may have 12 bits.
void write_empty_answer(Writer& out, const dns::Query& query, std::uint16_t rcode,
                        const Carrier& carrier, std::optional<std::uint16_t> extended_error = {});

/// Appends an answer of which nothing fits: question, OPT and TC (RFC 2181 section 9).
void write_truncated_answer(Writer& out, const dns::Query& query, const Carrier& carrier);

/// Appends the small answer to a query of type ANY (RFC 8482 section 4.2).
void write_any_answer(Writer& out, const dns::Query& query, const Carrier& carrier);

/// Appends what a message deserves that is not to be looked up; nothing for `drop`.
void write_verdict(Writer& out, const dns::Query& query, dns::Verdict verdict,
                   const Carrier& carrier);

}  // namespace porchlight::forwarder
