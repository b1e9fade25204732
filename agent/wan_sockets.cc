#include "agent/wan_sockets.h"

#include <linux/capability.h>
#include <net/if.h>

#include <algorithm>

#include "agent/privileges.h"
#include "ra/link_sockets.h"

namespace porchlight::agent {

WanSockets::Opened WanSockets::open(const Config& config, Clock::time_point now) {
    Opened opened;
    indexes_.clear();
    missing_.clear();
    try_at_ = Clock::time_point::max();
    for (const WanConfig& wan : config.wan)
        indexes_[wan.interface] = ::if_nametoindex(wan.interface.c_str());
    if (indexes_.empty()) return opened;
    if (!has_capability(CAP_NET_RAW)) {
        opened.hindered["hear Router Advertisements of the WAN"] = "";
        return opened;
    }
    for (const auto& [link, index] : indexes_) {
        if (index == 0) continue;  // its coming tells
        auto socket = ra::open_wan_socket(link);
        if (socket) {
            opened.links.push_back(link);
            opened.sockets.push_back(std::move(*socket));
            continue;
        }
        missing_.push_back(link);
        try_at_ = now + tried_again;
        // A link without IPv6 has no Router Advertisements to be missed.
        if (socket.error().code != Errc::unavailable)
            opened.hindered["hear Router Advertisements on " + link] = socket.error().message;
    }
    return opened;
}

bool WanSockets::can_have_more(Clock::time_point now) {
    if (now < try_at_) return false;
    try_at_ = now + tried_again;
    return std::any_of(missing_.begin(), missing_.end(),
                       [](const std::string& link) { return bool(ra::open_wan_socket(link)); });
}

bool WanSockets::links_are_those() const {
    return std::all_of(indexes_.begin(), indexes_.end(), [](const auto& known) {
        return ::if_nametoindex(known.first.c_str()) == known.second;
    });
}

}  // namespace porchlight::agent
