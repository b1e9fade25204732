#pragma once

#include <vector>

#include "dns/draft_resolver.h"

namespace porchlight::dns {

/// The form of the options that tell of encrypted resolvers.
enum class Format { rfc9463, draft_btw_11 };

/// Which forms are told, and where the draft's stand.
struct Forms {
    std::vector<Format> formats = {Format::rfc9463};  // where room is short the first goes first
    DraftCodePoints code_points;
    bool operator==(const Forms&) const = default;
};

}  // namespace porchlight::dns
