#pragma once

#include <string>

#include "core/clock.h"
#include "ra/advertisement.h"

namespace porchlight::ra {

/// What hosts of one link may have heard from us, kept so that whoever comes after a crash can take
/// it back: ra::Sender::adopt, or ra::withdraw_now without a daemon.
struct Announced {
    std::string interface;
    Ipv6 source;          // whom hosts take it from: the router's link-local address
    RouterHeader header;  // in the form of Mirror::said
    /// Until when hosts keep the default route that `header` gave them, whole seconds. Steady time
    /// starts anew with each boot; a moment that can't be after a boot counts as passed.
    Clock::time_point route_until{};
    NdOptions options;  // announced, or being withdrawn (those with Lifetime 0)
    bool full = false;  // we were the RA daemon ourselves, and `options` are everything it said
    /// Whether hosts know anything that must be taken back some time.
    bool standing() const { return full || !options.empty(); }
    bool operator==(const Announced&) const = default;
};

/// The Router Lifetime that leaves hosts' routes at `now` exactly as they are: what remains of it,
/// rounded up; 0 when it has ended anyway.
std::chrono::seconds remaining_lifetime(const Announced& announced, Clock::time_point now);

void write(Writer& out, const Announced& announced);
Result<Announced> parse_announced(Bytes octets);

}  // namespace porchlight::ra
