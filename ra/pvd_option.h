#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"
#include "dns/name.h"
#include "ra/advertisement.h"

namespace porchlight::ra {

/// Neighbor Discovery option 21 "PvD" (RFC 8801 section 3.1): options that belong to one
/// provisioning domain, and that hosts pass over which know nothing of such.
struct PvdOption {
    bool http = false;                   // "H": more is to be had by HTTPS
    bool legacy = false;                 // "L": IPv4 of this link belongs to it, too
    std::uint8_t delay = 0;              // 0 to 15, see the RFC; 0 without "H"
    std::uint16_t sequence = 0;          // of what is to be had by HTTPS
    dns::Name name;                      // of the domain, never the root
    std::optional<RouterHeader> header;  // "R": in the place of the advertisement's
    NdOptions options;
    bool operator==(const PvdOption&) const = default;
};

/// Strict, but for what the RFC tells receivers to ignore: reserved bits, the padding behind the
/// name, type, code and checksum of the header. `option` is the whole option.
Result<PvdOption> parse_pvd_option(Bytes option);
void write(Writer& out, const PvdOption& pvd);

}  // namespace porchlight::ra
