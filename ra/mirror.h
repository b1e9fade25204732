#pragma once

#include <optional>

#include "core/clock.h"
#include "ra/advertisement.h"

namespace porchlight::ra {

/// Whether an advertisement can only be one of ours beside a daemon: nothing in it but
/// encrypted-DNS options, and no word on hop limit and timers. A router daemon always tells a
/// prefix, a resolver, its MTU or its link-layer address. So we never learn from ourselves, nor
/// from another process of ours.
bool is_supplement(const Advertisement& advertisement);

/// Knows which header our own advertisements must carry beside those of an RA daemon that we don't
/// control. Hosts keep a router's state by its address (RFC 4861 section 6.3.4), and we share the
/// daemon's: a different header would overwrite what it said, a Router Lifetime of 0 would take the
/// hosts' default route.
/// - Copied as the daemon last said it: the flags. Unspecified, so that hosts leave them alone: Cur
///   Hop Limit, Reachable Time, Retrans Timer.
/// - The Router Lifetime is what is left of the one that the daemon gave. So ours never keep a
///   default route longer than the daemon's own word does, and a daemon that dies without one ends
///   as if we were not there.
/// - Before the daemon was heard, and when it was silent for its own Router Lifetime, there is no
///   header: nothing may be announced.
/// - A Router Lifetime that falls to 0 is taken for the daemon's farewell (RFC 4861 section 6.2.5):
///   no header either, lest a copy of an old one bring the route back. A daemon that answers when
///   it is asked, or goes on speaking after `farewell_max`, has not ended, it is just no default
///   router (a home without IPv6 uplink); such a header is copied like any other.
/// No I/O; the time is the caller's.
class Mirror {
  public:
    static constexpr std::chrono::seconds farewell_max{60};
    /// Who is asked after its farewell and does not answer in this time has ended.
    static constexpr std::chrono::seconds farewell_grace{4};
    /// How long a daemon that is no default router may be silent: twice the largest
    /// MaxRtrAdvInterval (RFC 4861 section 6.2.1).
    static constexpr std::chrono::seconds silence_max{3600};

    /// `asked`: it answers a solicitation that was sent after its last advertisement.
    void on_advertisement(const RouterHeader& header, bool asked, Clock::time_point now);
    /// What a former process heard, good from `from` on for taking something back; nothing may be
    /// announced by it. A lifetime that has ended leaves the daemon unknown: it may live, and hosts
    /// have a new one.
    void remember(const RouterHeader& header, Clock::time_point route_until,
                  Clock::time_point from);
    /// An advertisement of ours left for all hosts under last(). From then on that is what they
    /// have, even when it ends: a daemon that gave them a newer one since would have been heard.
    void on_told() { told_ = true; }

    bool heard() const { return heard_; }
    /// The header to announce with.
    std::optional<RouterHeader> header(Clock::time_point now) const;
    /// The header to take something back with: what the daemon last said, and what is left of it.
    std::optional<RouterHeader> last(Clock::time_point now) const;
    /// Before then last() knows nothing; in the past where no time makes a difference.
    Clock::time_point last_from() const { return last_from_; }
    /// The daemon's farewell, if that is the last that was heard of it.
    std::optional<Clock::time_point> farewell() const { return farewell_; }
    /// When header() ends if the daemon stays silent.
    Clock::time_point forget_at() const { return forget_at_; }

    /// What the daemon last said, as Announced keeps it.
    const std::optional<RouterHeader>& said() const { return said_; }
    Clock::time_point route_until() const { return route_until_; }

  private:
    RouterHeader left_of_said(Clock::time_point now) const;

    bool heard_ = false;                // by this process
    bool told_ = false;                 // hosts were, by this process
    std::optional<RouterHeader> said_;  // flags and Router Lifetime alone
    Clock::time_point route_until_{};   // when the Router Lifetime ends
    Clock::time_point forget_at_{};     // when the header is too old to announce with
    Clock::time_point last_from_ = Clock::time_point::min();
    std::optional<Clock::time_point> farewell_;  // when it began
};

}  // namespace porchlight::ra
