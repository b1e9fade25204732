#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"

namespace porchlight::dhcp {

/// The options of draft-btw-add-home-11 as a client sends them: flags, of the protocols that it
/// wants (Figure 8), and nothing else. The draft would have them in the list of options that a
/// client asks for, which has room for codes alone; so they are an option of the same code. DHCPv4
/// has one of them; in DHCPv6 the option of names and that of addresses each may be one.
struct DraftRequest {
    std::uint8_t flags = 0;  // of dns::DraftFlag, at least one
    bool operator==(const DraftRequest&) const = default;
};

/// Whether an option's data is a request, well formed or not. No offer is that short: each has a
/// name or an address.
inline bool is_draft_request(Bytes option) {
    return option.size() == 1;
}

/// Strict; unassigned flags are ignored.
Result<DraftRequest> parse_draft_request(Bytes option);

void write(Writer& out, const DraftRequest& request);

}  // namespace porchlight::dhcp
