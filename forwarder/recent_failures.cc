#include "forwarder/recent_failures.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace porchlight::forwarder {
namespace {

bool same_host(const Serving::Host& a, const Serving::Host& b) {
    return a.family == b.family && a.octets == b.octets;
}

}  // namespace

bool RecentFailures::HostLess::operator()(const Serving::Host& a, const Serving::Host& b) const {
    return std::tie(a.family, a.octets) < std::tie(b.family, b.octets);
}

std::chrono::seconds RecentFailures::next_duration(Blame blame, bool stale,
                                                   std::chrono::seconds before) const {
    const bool is_line = blame == Blame::line || (blame == Blame::silence && is_silent_);
    if (is_line) return stale && blame == Blame::silence ? limits_.covered : no_line;
    std::chrono::seconds most = limits_.most;
    if (blame == Blame::silence) most = std::min(most, silence_most);
    most = std::max(most, limits_.first);
    const std::chrono::seconds doubled = std::clamp(before * 2, limits_.first, most);
    return stale ? std::max(doubled, limits_.covered) : doubled;
}

void RecentFailures::note(const dns::Question& question, const Serving::Host& asker, Blame blame,
                          std::optional<std::uint16_t> extended_error, bool stale,
                          Clock::time_point asked_at, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    auto found = failures_.find(question);
    if (found == failures_.end()) {
        make_room(asker, now);
        found = failures_.emplace(question, Failure{}).first;
        found->second.asker = asker;
        ++of_host_[asker];
    }
    Failure& failure = found->second;
    // What failed long before it was asked again says nothing of now.
    if (failure.until + failure.lasts < asked_at) failure.lasts = std::chrono::seconds::zero();
    failure.lasts = asked_at < back_at_ ? no_line : next_duration(blame, stale, failure.lasts);
    failure.silent = blame == Blame::silence;
    failure.until = now + failure.lasts;
    failure.extended_error = extended_error;
}

/// So that one more of `asker` fits. A host that fills the table pushes out what is its own.
void RecentFailures::make_room(const Serving::Host& asker, Clock::time_point now) {
    const auto its_own = of_host_.find(asker);
    if (its_own != of_host_.end() && its_own->second >= limits_.questions_per_host_max)
        return drop_first_over(asker);
    if (failures_.size() < limits_.questions_max) return;
    for (auto it = failures_.begin(); it != failures_.end();)
        it = it->second.until <= now ? erase(it) : std::next(it);
    if (failures_.size() < limits_.questions_max) return;
    const auto most =
        std::max_element(of_host_.begin(), of_host_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    drop_first_over(most->first);
}

/// Forgets the failure of that host that would be over first.
void RecentFailures::drop_first_over(const Serving::Host& asker) {
    auto first = failures_.end();
    for (auto it = failures_.begin(); it != failures_.end(); ++it) {
        if (!same_host(it->second.asker, asker)) continue;
        if (first == failures_.end() || it->second.until < first->second.until) first = it;
    }
    if (first != failures_.end()) erase(first);
}

RecentFailures::Failures::iterator RecentFailures::erase(Failures::iterator failure) {
    const auto host = of_host_.find(failure->second.asker);
    if (--host->second == 0) of_host_.erase(host);
    return failures_.erase(failure);
}

void RecentFailures::set_limits(Limits limits) {
    const std::lock_guard lock(mutex_);
    limits_ = limits;
}

void RecentFailures::forget(const dns::Question& question, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const auto found = failures_.find(question);
    if (found == failures_.end()) return;
    // What failed long ago is no sign of a way that came back now.
    const bool is_sign = found->second.silent && now <= found->second.until + silence_most;
    erase(found);
    if (is_sign) shorten_silent(now);
}

void RecentFailures::shorten_silent(Clock::time_point now) {
    for (auto it = failures_.begin(); it != failures_.end();) {
        Failure& failure = it->second;
        if (failure.silent && failure.lasts > no_line) {
            failure.until -= failure.lasts - no_line;
            failure.lasts = no_line;
        }
        it = failure.silent && failure.until <= now ? erase(it) : std::next(it);
    }
}

void RecentFailures::note_upstream(bool answered, Clock::time_point asked_at,
                                   Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (!answered) {
        // One name that nobody answers says nothing of the others.
        is_silent_ = is_silent_ || answered_at_ <= asked_at;
        return;
    }
    if (std::exchange(is_silent_, false)) {
        forget_all();
        back_at_ = now;
    }
    answered_at_ = std::max(answered_at_, now);
}

void RecentFailures::clear() {
    const std::lock_guard lock(mutex_);
    forget_all();
}

void RecentFailures::forget_all() {
    failures_.clear();
    of_host_.clear();
}

std::optional<RecentFailures::Failure> RecentFailures::find(const dns::Question& question,
                                                            Clock::time_point now) const {
    const std::lock_guard lock(mutex_);
    const auto found = failures_.find(question);
    if (found == failures_.end() || found->second.until <= now) return std::nullopt;
    return found->second;
}

}  // namespace porchlight::forwarder
