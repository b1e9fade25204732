#include "agent/forwarder_totals.h"

#include <algorithm>

namespace porchlight::agent {

void ForwarderTotals::lose() {
    before_ = sum();
    heard_.clear();
}

std::vector<forwarder::Counter> ForwarderTotals::sum() const {
    std::vector<forwarder::Counter> sum = heard_;
    for (const forwarder::Counter& one : before_) {
        const auto same =
            std::find_if(sum.begin(), sum.end(),
                         [&](const forwarder::Counter& other) { return other.name == one.name; });
        if (same == sum.end())
            sum.push_back(one);
        else
            same->value += one.value;
    }
    return sum;
}

}  // namespace porchlight::agent
