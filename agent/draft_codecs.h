#pragma once

#include <span>
#include <vector>

#include "agent/option_codecs.h"
#include "agent/resolver_json.h"

namespace porchlight::agent {

// The half of agent/option_codecs that knows draft-btw-add-home-11. `carrier` is any but svcb.

/// `octets` is the data of the DHCPv4 option, else a run of whole options. Fails with `malformed`,
/// also for an option that is none of the draft's.
Result<std::vector<ResolverRecord>> decode_draft(Carrier carrier, Bytes octets,
                                                 const dns::DraftCodePoints& codes);

/// The options for `records`, which why_not_encodable has let through. For DHCPv4 what each adds to
/// the one option.
Result<std::vector<Buffer>> write_draft(Carrier carrier, std::span<const ResolverRecord> records,
                                        const dns::DraftCodePoints& codes);

}  // namespace porchlight::agent
