#include "agent/config_change.h"

#include "agent/plan.h"

namespace porchlight::agent {
namespace {

template <class Links>
std::vector<std::string> interfaces_of(const Links& links) {
    std::vector<std::string> names;
    for (const auto& link : links) names.push_back(link.interface);
    return names;
}

std::vector<std::uint16_t> ports_of(const Config& config) {
    return config.resolver ? ports(*config.resolver) : std::vector<std::uint16_t>();
}

}  // namespace

ConfigChange change_between(const Config& before, const Config& after) {
    const bool other_links = interfaces_of(after.lan) != interfaces_of(before.lan);
    return {
        .needs_restart = after.runtime_directory != before.runtime_directory ||
                         after.state_directory != before.state_directory ||
                         after.users != before.users || after.workers != before.workers ||
                         after.log.target != before.log.target,
        .listeners = other_links || ports_of(after) != ports_of(before) ||
                     after.do53 != before.do53 || asks_upstream(after) != asks_upstream(before),
        .advertisements = other_links ||
                          advertises(after.announce.ra) != advertises(before.announce.ra) ||
                          after.announce.ra_interval != before.announce.ra_interval,
        .wan = interfaces_of(after.wan) != interfaces_of(before.wan),
    };
}

}  // namespace porchlight::agent
