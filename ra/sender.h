#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "ra/mirror.h"

namespace porchlight::ra {

/// One Router Advertisement to be sent: ICMPv6 octets, checksum left to the kernel.
struct Packet {
    Ipv6 destination;
    Buffer octets;
};

/// An option in the form that takes it back: the same octets with Lifetime 0.
Buffer withdrawn(Buffer option);

/// Decides when which Router Advertisement leaves on one link, beside an RA daemon that we don't
/// control: options of ours under a copy of the daemon's header (see Mirror).
/// - Unsolicited, multicast: the first three after a start or a change at most 16 s apart, then
///   uniformly random between the interval's bounds (RFC 4861 section 6.2.4).
/// - Solicited: after 0 to 0.5 s, unicast where the solicitor has an address; multicast where it
///   has none or many ask at once (section 6.2.6).
/// - Multicasts are at least 3 s apart and, if that delays one by at most 3 s, 3 s from the
/// daemon's:
///   hosts take both for one router.
/// - An option that is no longer wanted is withdrawn octet for octet with Lifetime 0 in three
///   multicasts, behind the new ones. That only its Lifetime changed is no such case.
/// - Nothing leaves without a header from the daemon. Withdrawals alone may leave without a current
///   one, with a Router Lifetime that leaves the hosts' routes as they are.
/// - What doesn't fit one packet of `packet_octets_max` is spread over several; never a fragment
///   (RFC 6980 section 5).
/// No I/O; the time is the caller's, never going back. `random` must outlive this.
class Sender {
  public:
    struct Interval {  // RFC 4861 section 6.2.1: MinRtrAdvInterval, MaxRtrAdvInterval
        std::chrono::seconds min{200};
        std::chrono::seconds max{600};
    };

    static constexpr unsigned initial_advertisements = 3;  // MAX_INITIAL_RTR_ADVERTISEMENTS
    static constexpr std::chrono::seconds initial_interval_max{16};
    static constexpr std::chrono::milliseconds answer_delay_max{500};  // MAX_RA_DELAY_TIME
    static constexpr std::chrono::seconds multicast_spacing{3};        // MIN_DELAY_BETWEEN_RAS
    static constexpr unsigned withdrawals = 3;  // MAX_FINAL_RTR_ADVERTISEMENTS
    /// Between the last multicasts of a process that has no 3 s left to live.
    static constexpr std::chrono::milliseconds final_spacing{500};
    static constexpr std::size_t answers_waiting_max = 8;        // more: one multicast for all
    static constexpr std::size_t packet_octets_max = 1280 - 40;  // the least IPv6 MTU
    static constexpr std::size_t option_octets_max = packet_octets_max - 16;
    static constexpr std::size_t withdrawing_max = 64;  // options; the oldest make room

    static constexpr Clock::time_point never = Clock::time_point::max();

    Sender(Interval interval, Random& random) : interval_(interval), random_(random) {}

    /// What a former process announced. It is not repeated; the first set_options withdraws what of
    /// it is no longer wanted.
    void adopt(const NdOptions& options);
    /// From now on exactly these, in this order, each with its Lifetime field behind the first four
    /// octets. Returns how many were left out: no packet can hold
    /// them, or their Length is not their own.
    std::size_t set_options(NdOptions options, Clock::time_point now);
    void withdraw(Clock::time_point now) { set_options({}, now); }
    /// Withdraws within a second rather than at the usual pace: the process is about to end.
    void finish(Clock::time_point now);

    void on_solicitation(const Ipv6& source, Clock::time_point now);
    /// The daemon was heard, by everybody (`multicast`) or by one host.
    void on_daemon_advertisement(const RouterHeader& header, bool multicast, Clock::time_point now);

    /// The next packet to be sent at `now`, taken as sent. Call until there is none.
    std::optional<Packet> next(Clock::time_point now);
    /// When next() should be called again, if nothing happens before.
    Clock::time_point wake() const;

    bool heard_daemon() const { return mirror_.last().has_value(); }
    /// Whether a daemon is there whose header can be used now.
    bool can_announce(Clock::time_point now) const { return mirror_.header(now).has_value(); }
    /// Nothing is announced, and nothing waits to be withdrawn.
    bool silent() const { return options_.empty() && former_.empty() && withdrawing_.empty(); }
    /// What hosts may know from us, or soon will: announced options, and withdrawn ones until that
    /// is done.
    NdOptions announced() const;
    /// As in Announced.
    const std::optional<RouterHeader>& header() const { return mirror_.last(); }
    Clock::time_point route_until() const { return route_until_; }

  private:
    struct Withdrawal {
        Buffer option;  // with Lifetime 0
        unsigned left = withdrawals;
    };
    struct Answer {
        Ipv6 to;
        Clock::time_point at;
    };

    void start(Clock::time_point now);
    void finish_round(Clock::time_point now);
    Clock::time_point multicast_at() const;
    Clock::duration next_interval();
    /// What can be sent at `now`, in order; empty: nothing.
    NdOptions content(Clock::time_point now) const;
    RouterHeader header_at(Clock::time_point now) const;
    Packet packet(const Ipv6& to, NdOptions options, Clock::time_point now);

    Interval interval_;
    Random& random_;
    Mirror mirror_;
    NdOptions options_;
    bool told_ = false;  // some packet left since options_ are these
    NdOptions former_;   // adopted
    std::vector<Withdrawal> withdrawing_;

    std::deque<NdOptions> round_;  // packets of the multicast under way that have not left
    Clock::time_point due_ = never;
    Clock::time_point spaced_ = Clock::time_point::min();    // no multicast before, by our last one
    Clock::time_point courtesy_ = Clock::time_point::min();  // better not before, by the daemon's
    unsigned initial_left_ = 0;
    bool finishing_ = false;

    std::vector<Answer> answers_;
    std::deque<Packet> ready_;  // a unicast answer's packets
    Clock::time_point route_until_ = Clock::time_point::min();
};

}  // namespace porchlight::ra
