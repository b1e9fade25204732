#include "agent/gate.h"

namespace porchlight::agent {

void Gate::observe(bool fit, Clock::time_point began, Clock::time_point now) {
    if (fit_ != fit) {
        // A restored announcement that is never confirmed must end too: its time runs from the
        // first look.
        fit_ = fit;
        since_ = fit ? now : began;
    }
    (void)open(now);
}

bool Gate::open(Clock::time_point now) {
    while (!closings_.empty() && now - closings_.front() >= limits_.flap_window)
        closings_.pop_front();
    const auto change = next_change();
    if (change && now >= *change) {
        open_ = !open_;
        if (open_) {
            opened_before_ = true;
        } else {
            closings_.push_back(now);
            if (closings_.size() > limits_.flaps_max) closings_.pop_front();
        }
    }
    return open_;
}

std::optional<Clock::time_point> Gate::next_change() const {
    if (!fit_ || *fit_ == open_) return std::nullopt;
    return since_ + patience();
}

std::chrono::seconds Gate::patience() const {
    if (open_) return limits_.close_after;
    if (!opened_before_) return std::chrono::seconds(0);
    return closings_.size() >= limits_.flaps_max ? limits_.open_after_flaps : limits_.open_after;
}

}  // namespace porchlight::agent
