#pragma once

#include <vector>

#include "forwarder/settings.h"

namespace porchlight::agent {

/// What the forwarder has counted since this process began, over every forwarder that there was:
/// each counts from zero, and a sum that fell would be none. What one counted after it was last
/// heard goes with it.
class ForwarderTotals {
  public:
    /// The counters of the forwarder that runs.
    void hear(std::vector<forwarder::Counter> counters) { heard_ = std::move(counters); }
    /// It is gone; the next one counts from zero.
    void lose();
    /// In the order of the one that was heard last.
    std::vector<forwarder::Counter> sum() const;

  private:
    std::vector<forwarder::Counter> before_;  // of those that are gone
    std::vector<forwarder::Counter> heard_;
};

}  // namespace porchlight::agent
