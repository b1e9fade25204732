#pragma once

#include <span>
#include <vector>

#include "agent/option_codecs.h"
#include "agent/resolver_json.h"

namespace porchlight::agent {

// The half of agent/option_codecs that knows draft-btw-add-home-11. Octets are as decode_options
// and encode_options have them; `carrier` is any but svcb.

/// Fails with `malformed`, also for an option that is none of the draft's.
Result<std::vector<ResolverRecord>> decode_draft(Carrier carrier, std::span<const Buffer> octets);

/// The options for `records`, as far as the draft has words for them.
Result<std::vector<Buffer>> write_draft(Carrier carrier, std::span<const ResolverRecord> records);

}  // namespace porchlight::agent
