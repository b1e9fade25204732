#include "agent/hindrances.h"

#include <utility>

#include "core/log.h"

namespace porchlight::agent {

void Hindrances::set(Area area, Reasons reasons) {
    const Reasons before = std::exchange(areas_[area], std::move(reasons));
    const Reasons& now = areas_[area];
    for (const auto& [what, why] : now) {
        const auto known = before.find(what);
        if (known == before.end() || known->second != why)
            log::warn("cannot " + what, {{"error", why.empty() ? "not permitted" : why}});
    }
    for (const auto& [what, why] : before)
        if (!now.contains(what)) log::info("no longer hindered", {{"in", what}});
}

bool Hindrances::holds(Area area, const std::string& what) const {
    const auto found = areas_.find(area);
    return found != areas_.end() && found->second.contains(what);
}

std::vector<std::string> Hindrances::list() const {
    std::vector<std::string> all;
    for (const auto& [area, reasons] : areas_)
        for (const auto& [what, why] : reasons)
            all.push_back(why.empty() ? what : what + ": " + why);
    return all;
}

}  // namespace porchlight::agent
