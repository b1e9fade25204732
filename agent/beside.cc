#include "agent/beside.h"

#include <algorithm>

#include "core/bytes.h"
#include "ra/options.h"
#include "ra/told_resolvers.h"

namespace porchlight::agent {
namespace {

constexpr const char* told_by_daemon = "the RA daemon of this link announces encrypted DNS itself";

/// Single options with Lifetime 0, in order: what two senders mean alike looks alike.
ra::NdOptions comparable(const ra::NdOptions& units) {
    ra::NdOptions all;
    for (const Buffer& unit : units)
        for (const Buffer& option : ra::options_of(unit)) all.push_back(ra::withdrawn(option));
    std::sort(all.begin(), all.end());
    return all;
}

bool has_type(const ra::NdOptions& options, std::uint8_t type) {
    return std::any_of(options.begin(), options.end(),
                       [&](const Buffer& option) { return option[0] == type; });
}

std::string names_in(const ra::NdOptions& options) {
    std::string text;
    for (const Buffer& option : options) {
        std::vector<std::string> names = ra::resolvers_in(option);
        if (names.empty()) names.push_back("option " + std::to_string(option[0]));
        for (const std::string& name : names) text += (text.empty() ? "" : "; ") + name;
    }
    return text;
}

void leave_to_daemon(CarrierStatus& row, const ra::LinkAnnouncer::Beside& beside) {
    for (const Buffer& unit : beside.left_to_daemon)
        std::erase(row.options, std::to_string(unit[0]) + " " + to_hex(unit));
    if (row.options.empty()) {
        row.announced = false;
        row.why = told_by_daemon;
    } else {
        row.notes.emplace_back(told_by_daemon);
    }
    const ra::NdOptions planned = comparable(beside.left_to_daemon);
    ra::NdOptions told = beside.daemon_tells;
    std::erase_if(told, [&](const Buffer& option) { return !has_type(planned, option[0]); });
    row.notes.push_back(comparable(told) == planned
                            ? "what it announces is what was planned"
                            : "it announces something else than planned: " + names_in(told));
}

}  // namespace

void tell_beside(CarrierStatus& row, const ra::LinkAnnouncer::Beside& beside) {
    if (beside.yields_to)
        row.notes.push_back("another RA daemon of this router, " + to_text(*beside.yields_to) +
                            ", has this link; porchlight stands beside it");
    if (row.announced && !beside.left_to_daemon.empty()) leave_to_daemon(row, beside);
}

}  // namespace porchlight::agent
