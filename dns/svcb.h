#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"
#include "dns/name.h"
#include "dns/svc_params.h"

namespace porchlight::dns {

/// RDATA of an SVCB record (RFC 9460 section 2.2), the form in which names and addresses are asked
/// for their encrypted resolvers (RFC 9461, RFC 9462). Unlike in DNR, address hints are welcome.
struct Svcb {
    std::uint16_t priority = 1;  // SvcPriority; 0: AliasMode
    Name target;                 // the root: in ServiceMode the record's own name
    SvcParams params;
    bool operator==(const Svcb&) const = default;
};

/// Strict. The target is never compressed. Parameters that AliasMode has no use for are read and
/// kept: RDATA that breaks their syntax is malformed in either mode.
Result<Svcb> parse_svcb(Bytes rdata);

void write(Writer& out, const Svcb& svcb);

/// Why a client looking for an encrypted resolver can't use the record, or nothing: an alias, a
/// target that names no host (RFC 9462 section 4 forbids the root and resolver.arpa) or reads as an
/// address, or what why_not_usable says of the parameters.
std::optional<std::string> why_not_usable(const Svcb& svcb);

}  // namespace porchlight::dns
