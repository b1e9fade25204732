#include "forwarder/in_flight.h"

#include <tuple>

namespace porchlight::forwarder {

bool QuestionLess::operator()(const dns::Question& a, const dns::Question& b) const {
    return std::tie(a.type, a.dnssec_ok, a.checking_disabled, a.name) <
           std::tie(b.type, b.dnssec_ok, b.checking_disabled, b.name);
}

InFlight::Flight* InFlight::find(const dns::Question& question) {
    const auto found = by_question_.find(question);
    return found == by_question_.end() ? nullptr : &*found->second;
}

InFlight::Flight* InFlight::start(const dns::Question& question, const Serving::Host& asker,
                                  Clock::time_point now) {
    if (flights_.size() >= limits_.questions_max) return nullptr;
    const auto flight = flights_.insert(flights_.end(), Flight{question, asker, now, false, {}});
    if (first_fast_ == flights_.end()) first_fast_ = flight;
    by_question_.emplace(question, flight);
    return &*flight;
}

std::vector<InFlight::Done> InFlight::end(const dns::Question& question) {
    const auto found = by_question_.find(question);
    if (found == by_question_.end()) return {};
    const auto flight = found->second;
    by_question_.erase(found);
    std::vector<Done> waiters = std::move(flight->waiters);
    if (first_fast_ == flight) ++first_fast_;
    flights_.erase(flight);
    return waiters;
}

void InFlight::clear() {
    by_question_.clear();
    flights_.clear();
    first_fast_ = flights_.end();
}

std::optional<Clock::time_point> InFlight::next_slow() const {
    if (first_fast_ == flights_.end()) return std::nullopt;
    return first_fast_->started + client_timer;
}

InFlight::Flight* InFlight::take_slow(Clock::time_point now) {
    if (first_fast_ == flights_.end() || now < first_fast_->started + client_timer) return nullptr;
    first_fast_->slow = true;
    return &*first_fast_++;
}

}  // namespace porchlight::forwarder
