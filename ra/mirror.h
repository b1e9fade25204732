#pragma once

#include <optional>

#include "core/clock.h"
#include "ra/advertisement.h"

namespace porchlight::ra {

/// Whether an advertisement can only be one of ours: nothing in it but encrypted-DNS options
/// (of RFC 9463 or of an experiment), and no word on hop limit and timers. A router daemon always
/// tells a prefix, its MTU or its link-layer address. So we never learn from ourselves, nor from
/// another process of ours.
bool is_supplement(const Advertisement& advertisement);

/// Knows which header our own advertisements must carry beside those of an RA daemon that we don't
/// control. Hosts keep a router's state by its address (RFC 4861 section 6.3.4), and we share the
/// daemon's: a different header would overwrite what it said, a Router Lifetime of 0 would take the
/// hosts' default route.
/// - Copied as the daemon last said it: the flags and the Router Lifetime. Unspecified, so that
///   hosts leave them alone: Cur Hop Limit, Reachable Time, Retrans Timer.
/// - Before the daemon was heard, and when it was silent for its own Router Lifetime, there is no
///   header: nothing may be announced.
/// - A Router Lifetime that falls to 0 is taken for the daemon's farewell (RFC 4861 section 6.2.5):
///   no header either, lest a copy of an old one bring the route back. A daemon that goes on
///   speaking after `farewell_max` has not ended, it is just no default router (a home without IPv6
///   uplink); such a header is copied like any other.
/// No I/O; the time is the caller's.
class Mirror {
  public:
    static constexpr std::chrono::seconds farewell_max{60};
    /// How long a daemon that is no default router may be silent: twice the largest
    /// MaxRtrAdvInterval (RFC 4861 section 6.2.1).
    static constexpr std::chrono::seconds silence_max{3600};

    void on_advertisement(const RouterHeader& header, Clock::time_point now);
    /// The header to announce with.
    std::optional<RouterHeader> header(Clock::time_point now) const;
    /// What the daemon last said, in the form of header(), however long ago; nothing before that.
    const std::optional<RouterHeader>& last() const { return last_; }

  private:
    std::optional<RouterHeader> last_;
    Clock::time_point forget_at_{};
    std::optional<Clock::time_point> farewell_;  // when it began
};

}  // namespace porchlight::ra
