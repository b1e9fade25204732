#include "forwarder/in_flight.h"

#include <tuple>

namespace porchlight::forwarder {

bool QuestionLess::operator()(const dns::Question& a, const dns::Question& b) const {
    return std::tie(a.type, a.dnssec_ok, a.checking_disabled, a.subnet_withheld, a.view, a.name) <
           std::tie(b.type, b.dnssec_ok, b.checking_disabled, b.subnet_withheld, b.view, b.name);
}

InFlight::Flight* InFlight::find(const dns::Question& question) {
    const auto found = by_question_.find(question);
    return found == by_question_.end() ? nullptr : &found->second->second;
}

InFlight::Flight* InFlight::start(const dns::Question& question, const Serving::Host& asker,
                                  Clock::time_point now) {
    if (flights_.size() >= limits_.questions_max) return nullptr;
    const std::uint64_t number = ++last_number_;
    const auto flight = flights_.emplace_hint(flights_.end(), number, Flight{});
    flight->second.question = question;
    flight->second.asker = asker;
    flight->second.started = now;
    flight->second.number = number;
    if (first_fast_ == flights_.end()) first_fast_ = flight;
    by_question_.emplace(question, flight);
    return &flight->second;
}

std::vector<InFlight::Done> InFlight::end(Flight& flight) {
    if (!flight.superseded) by_question_.erase(flight.question);
    std::vector<Done> waiters = std::move(flight.waiters);
    const auto ended = flights_.find(flight.number);
    if (first_fast_ == ended) ++first_fast_;
    flights_.erase(ended);
    return waiters;
}

void InFlight::supersede() {
    for (const auto& [question, flight] : by_question_) flight->second.superseded = true;
    by_question_.clear();
}

void InFlight::clear() {
    by_question_.clear();
    flights_.clear();
    first_fast_ = flights_.end();
}

std::optional<Clock::time_point> InFlight::next_slow() const {
    if (first_fast_ == flights_.end()) return std::nullopt;
    return first_fast_->second.started + limits_.client_timer;
}

InFlight::Flight* InFlight::take_slow(Clock::time_point now) {
    if (first_fast_ == flights_.end() || now < first_fast_->second.started + limits_.client_timer)
        return nullptr;
    first_fast_->second.slow = true;
    return &first_fast_++->second;
}

}  // namespace porchlight::forwarder
