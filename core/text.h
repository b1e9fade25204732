#pragma once

#include <algorithm>
#include <string_view>

namespace porchlight {

/// Takes what stands before the next `separator` off the front of `text`, and the separator; all of
/// it where there is none.
inline std::string_view take_until(std::string_view& text, char separator) {
    const std::string_view taken = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(taken.size() + 1, text.size()));
    return taken;
}

}  // namespace porchlight
