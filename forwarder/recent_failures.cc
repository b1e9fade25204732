#include "forwarder/recent_failures.h"

#include <algorithm>

namespace porchlight::forwarder {
namespace {

std::chrono::seconds next_duration(RecentFailures::Blame blame, bool stale,
                                   std::chrono::seconds before) {
    switch (blame) {
        case RecentFailures::Blame::silence:
            return stale ? RecentFailures::covered : RecentFailures::no_answer;
        case RecentFailures::Blame::line:
            return RecentFailures::unreachable;
        case RecentFailures::Blame::name:
            break;
    }
    return std::clamp(before * 2, RecentFailures::first, RecentFailures::most);
}

}  // namespace

void RecentFailures::note(const dns::Question& question, Blame blame,
                          std::optional<std::uint16_t> extended_error, bool stale,
                          Clock::time_point now) {
    if (failures_.size() >= questions_max && !failures_.contains(question)) {
        std::erase_if(failures_, [&](const auto& it) { return it.second.until <= now; });
        if (failures_.size() >= questions_max) return;
    }
    Failure& failure = failures_[question];
    // What failed long ago says nothing of now.
    if (failure.until + failure.lasts < now) failure.lasts = std::chrono::seconds::zero();
    failure.lasts = next_duration(blame, stale, failure.lasts);
    failure.until = now + failure.lasts;
    failure.extended_error = extended_error;
}

void RecentFailures::forget(const dns::Question& question) {
    failures_.erase(question);
}

const RecentFailures::Failure* RecentFailures::find(const dns::Question& question,
                                                    Clock::time_point now) const {
    const auto found = failures_.find(question);
    return found == failures_.end() || found->second.until <= now ? nullptr : &found->second;
}

}  // namespace porchlight::forwarder
