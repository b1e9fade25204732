#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/plan.h"
#include "agent/status.h"
#include "ra/ends.h"

namespace porchlight::agent {

/// A plan as the carriers take it.
struct Announcement {
    std::string dnsmasq_options;                 // the options file, whole
    std::string odhcpd_lists;                    // see dhcp/odhcpd_feed.h
    std::map<std::string, ra::TimedOptions> ra;  // by link
    std::vector<CarrierStatus> carriers;         // what became of it, for people
};

/// Renders `plan` for every carrier that `config` switches on. What doesn't fit a carrier is left
/// out by priority and named. Ends of resolvers are for Router Advertisements that we send: DHCP
/// has no word for them, and odhcpd tells of nothing that it would count down.
Announcement announce(const Config& config, const Plan& plan);

/// Takes a carrier for silent whose daemon could not be told, by the keeper's word.
void judge_feeds(std::vector<CarrierStatus>& carriers, const Processes& processes);

void log_what_is_told(const Plan& plan);

}  // namespace porchlight::agent
