#include "agent/suspects.h"

#include <algorithm>

namespace porchlight::agent {

std::vector<IpAddress> Suspects::died(const std::vector<IpAddress>& hosts, Clock::time_point now) {
    std::vector<IpAddress> kept_out;
    for (const IpAddress& address : hosts) {
        // The companion asks for many, and a host of this machine is the machine.
        if (is_loopback(address)) continue;
        Suspect suspect{address, now, Clock::time_point::min()};
        const auto known = std::ranges::find(suspects_, address, &Suspect::address);
        if (known != suspects_.end()) {
            if (now - known->seen <= deaths_within) {
                suspect.refused_until = now + refused_for;
                kept_out.push_back(address);
            }
            suspects_.erase(known);
        }
        suspects_.push_back(suspect);
    }
    if (suspects_.size() > hosts_max)
        suspects_.erase(suspects_.begin(), suspects_.end() - hosts_max);
    return kept_out;
}

std::vector<forwarder::RefusedHost> Suspects::refused(Clock::time_point now) const {
    std::vector<forwarder::RefusedHost> hosts;
    for (const Suspect& suspect : suspects_)
        if (suspect.refused_until > now)
            hosts.push_back({suspect.address,
                             std::chrono::ceil<std::chrono::seconds>(suspect.refused_until - now)});
    return hosts;
}

}  // namespace porchlight::agent
