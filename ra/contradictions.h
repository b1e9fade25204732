#pragma once

#include <string>
#include <vector>

#include "ra/advertisement.h"

namespace porchlight::ra {

/// In what `theirs`, of another router of the link, differs from `ours` where both speak (RFC 4861
/// section 6.2.7): hosts take the last word of either. Other options, and other prefixes, are no
/// contradiction. Lifetimes of a prefix count down, so only its end is compared: deprecated here,
/// preferred there.
std::vector<std::string> contradictions(const Advertisement& ours, const Advertisement& theirs);

}  // namespace porchlight::ra
