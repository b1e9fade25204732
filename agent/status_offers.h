#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/learned.h"
#include "agent/offers.h"
#include "core/clock.h"
#include "core/result.h"

namespace porchlight::agent {

/// What the WANs offer and what became of it, for `status`.
struct OffersStatus {
    std::vector<Learned> learned;
    std::vector<RefusedOffer> refused;
    Clock::time_point now{};  // what has ended by then is not shown
};

/// A JSON array, one object for each WAN and source: `wan`, `source`, `told_by`; `resolvers` as
/// docs/options.md describes them, `lifetime` being what is left; `left_out` and `discarded`,
/// sentences; `plain`, addresses.
std::string offers_json(const OffersStatus& offers);

/// From that, for a terminal. Nothing where nothing is offered.
std::string offers_text(std::string_view json);
/// The same out of the daemon's answer to `status`.
Result<std::string> offers_text_of_status(std::string_view status_json);

}  // namespace porchlight::agent
