#include "ra/heard_options.h"

#include <algorithm>

#include "ra/options.h"

namespace porchlight::ra {
namespace {

bool tells_of_resolvers(const Buffer& option) {
    return option[0] == rdnss_option_type || !is_router_option(option[0]);
}

}  // namespace

void HeardOptions::on_advertisement(const NdOptions& options, Clock::time_point now) {
    std::erase_if(heard_, [&](const Heard& one) { return one.until <= now; });
    for (const Buffer& option : options) {
        if (!tells_of_resolvers(option)) continue;
        const Buffer back = withdrawn(option);
        std::erase_if(heard_, [&](const Heard& one) { return withdrawn(one.option) == back; });
        if (back == option || heard_.size() >= options_max) continue;
        const auto left = lifetime(option);
        heard_.push_back({option, left == for_ever ? Clock::time_point::max() : now + left});
    }
}

NdOptions HeardOptions::standing(Clock::time_point now) const {
    NdOptions options;
    for (const Heard& one : heard_)
        if (one.until > now) options.push_back(one.option);
    return options;
}

bool HeardOptions::tells_type(std::uint8_t type, Clock::time_point now) const {
    return std::any_of(heard_.begin(), heard_.end(),
                       [&](const Heard& one) { return one.option[0] == type && one.until > now; });
}

bool HeardOptions::tells(const Buffer& option, Clock::time_point now) const {
    const Buffer back = withdrawn(option);
    return std::any_of(heard_.begin(), heard_.end(), [&](const Heard& one) {
        return one.until > now && withdrawn(one.option) == back;
    });
}

Clock::time_point HeardOptions::next_end(Clock::time_point now) const {
    Clock::time_point next = Clock::time_point::max();
    for (const Heard& one : heard_)
        if (one.until > now) next = std::min(next, one.until);
    return next;
}

}  // namespace porchlight::ra
