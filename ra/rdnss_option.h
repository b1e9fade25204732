#pragma once

#include <chrono>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"

namespace porchlight::ra {

/// Neighbor Discovery option 25 "Recursive DNS Server" (RFC 8106 section 5.1): plain resolvers.
struct RdnssOption {
    std::chrono::seconds lifetime{0};  // of all; 0: stop using them now, all ones: for ever
    std::vector<Ipv6> servers;         // the preferred first, at most 127
    bool operator==(const RdnssOption&) const = default;
};

/// Strict (RFC 8106 section 5.3.1). `option` is the whole option. Addresses that no host could use
/// are dropped; an option left without any is refused.
Result<RdnssOption> parse_rdnss_option(Bytes option);
void write(Writer& out, const RdnssOption& rdnss);

}  // namespace porchlight::ra
