#include "ra/ends.h"

#include <algorithm>
#include <cassert>

#include "ra/options.h"

namespace porchlight::ra {

Ends::Ends(const NdOptions& units, const std::vector<Clock::time_point>& ends) {
    assert(ends.empty() || ends.size() == units.size());
    for (std::size_t i = 0; i < ends.size(); ++i)
        if (ends[i] != never) ends_.emplace(withdrawn(units[i]), ends[i]);
}

Buffer Ends::as_of(const Buffer& unit, Clock::time_point now) const {
    if (ends_.empty()) return unit;
    const auto end = ends_.find(withdrawn(unit));
    if (end == ends_.end()) return unit;
    const auto left = std::chrono::floor<std::chrono::seconds>(end->second - now);
    return shortened(unit, std::max(left, std::chrono::seconds(0)));
}

std::optional<Clock::duration> Ends::least_left(Clock::time_point now) const {
    std::optional<Clock::duration> least;
    for (const auto& [unit, end] : ends_)
        if (end > now && (!least || end - now < *least)) least = end - now;
    return least;
}

}  // namespace porchlight::ra
