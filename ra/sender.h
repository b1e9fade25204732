#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "ra/announced.h"
#include "ra/ends.h"
#include "ra/full.h"
#include "ra/heard_options.h"
#include "ra/mirror.h"
#include "ra/options.h"

namespace porchlight::ra {

/// One Router Advertisement to be sent: ICMPv6 octets, checksum left to the kernel.
struct Packet {
    Ipv6 destination;
    Buffer octets;
};

/// The Lifetime of options that a Sender tells again at least every `interval_max`, spread over
/// `packets`: hosts that miss two rounds in a row still know them.
std::chrono::seconds option_lifetime(std::chrono::seconds interval_max, std::size_t packets);

/// Decides when which Router Advertisement leaves on one link. In one of two forms:
/// - *supplement*: options of ours beside an RA daemon that we don't control, under a copy of its
///   header (see Mirror). Nothing leaves before that is known; withdrawals alone may leave without
///   a current one, with a Router Lifetime that leaves the hosts' routes as they are.
/// - *full*: we are the RA daemon. Header, prefixes and plain resolvers are those of compose_full,
///   ours behind them. When that ends, hosts hear it with Router Lifetime 0.
///
/// Never two senders of one thing:
/// - Another RA daemon of this machine, heard in full form, has the link: we stand beside it as a
///   supplement until it has ended. Hosts hear no farewell, for they take both for one router and
///   shall keep its route. Prefixes, plain resolvers and routes that only we told age out: they are
///   this very router's and stay true. What is no longer true of them when we are the daemon again
///   is taken back then.
/// - It has ended when it said so and stays silent for `farewell_silence`, when its Router Lifetime
///   is about to pass, or when the caller knows (on_daemon_ended). A Router Lifetime of 0 as the
///   first word of another daemon may be the last of one that is dying: ours goes on, told anew,
///   until that one answers or still speaks after Mirror::farewell_max.
/// - A daemon that tells of encrypted resolvers itself is left the types that it uses: ours of
///   these types are not sent, and taken back unless it tells the same, until it takes its own back
///   or they have ended.
///
/// In both:
/// - Unsolicited, multicast: the first three after a start or a change at most 16 s apart, then
///   uniformly random between the interval's bounds (RFC 4861 section 6.2.4).
/// - Solicited: after 0 to 0.5 s, unicast where the solicitor has an address; multicast where it
///   has none or many ask at once (section 6.2.6).
/// - Multicasts are at least 3 s apart and, if that delays one by at most 3 s, 3 s from those of
///   another daemon here: hosts take both for one router.
/// - An option that is no longer wanted is withdrawn octet for octet with Lifetime 0 in three
///   multicasts, behind the new ones and, the first time, in one packet with them. That only its
///   Lifetime changed is no such case. A prefix is withdrawn for as long as hosts may know it.
/// - What ends (see Ends) leaves with a Lifetime that is no longer than what is left of it then.
///   Where that is short, multicasts follow closer on each other: as ever, hosts that miss two in a
///   row still know it, provided that its end was put off meanwhile. Its end moves freely; where it
///   comes nearer, hosts hear that soon.
/// - What doesn't fit one packet of `packet_octets_max` is spread over several; never a fragment
///   (RFC 6980 section 5).
/// - A multicast that could not be sent counts for nothing and is tried again.
/// No I/O; the time is the caller's, never going back. `random` must outlive this.
class Sender {
  public:
    struct Interval {  // RFC 4861 section 6.2.1: MinRtrAdvInterval, MaxRtrAdvInterval
        std::chrono::seconds min{200};
        std::chrono::seconds max{600};
    };
    /// Sends, and says whether it left. Must not call back.
    using Send = std::function<bool(const Packet& packet)>;

    static constexpr unsigned initial_advertisements = 3;  // MAX_INITIAL_RTR_ADVERTISEMENTS
    static constexpr std::chrono::seconds initial_interval_max{16};
    static constexpr std::chrono::milliseconds answer_delay_max{500};  // MAX_RA_DELAY_TIME
    static constexpr std::chrono::seconds multicast_spacing{3};        // MIN_DELAY_BETWEEN_RAS
    static constexpr unsigned withdrawals = 3;  // MAX_FINAL_RTR_ADVERTISEMENTS
    /// Between the last multicasts of a process that has no 3 s left to live.
    static constexpr std::chrono::milliseconds final_spacing{500};
    static constexpr std::chrono::seconds retry_max{60};   // after doubling from multicast_spacing
    static constexpr std::size_t answers_waiting_max = 8;  // more: one multicast for all
    static constexpr std::size_t packet_octets_max = 1280 - 40;  // the least IPv6 MTU
    static constexpr std::size_t option_octets_max = packet_octets_max - 16;
    /// An end that comes nearer by more than this is told at once: senders of offers round.
    static constexpr std::chrono::seconds end_slack{5};
    /// Prefixes that were taken back often enough and are still told to hosts that missed it; the
    /// oldest make room. What has yet to be taken back has no limit but what was told.
    static constexpr std::size_t vanished_prefixes_max = 64;

    /// Who has the link in our place, said farewell and does not answer in this time has ended: its
    /// farewell took the hosts' default route, so this is how long they have none.
    static constexpr std::chrono::seconds farewell_silence{2};
    /// So long before the other daemon's Router Lifetime passes in silence ours is told, lest hosts
    /// be without a route between the two.
    static constexpr std::chrono::seconds takeover_margin{5};  // after a multicast of ours, 3 s

    static constexpr std::chrono::minutes uplink_within{2};

    static constexpr Clock::time_point never = Clock::time_point::max();

    Sender(Interval interval, Random& random) : interval_(interval), random_(random) {}

    /// What a former process announced. It is not repeated; the first set_options withdraws what of
    /// it is no longer wanted. Where no RA daemon is heard, that leaves from `from` on under the
    /// header that hosts know, so that a daemon that lives has time to tell a newer one.
    void adopt(const Announced& former, Clock::time_point from);
    /// Prefixes that hosts may know from a full form of long ago, before a power cut (RFC 9096
    /// section 3.3). In full form those that are gone are told as such once the link has a prefix
    /// of the uplink's, or after `uplink_within`: until then it may be about to delegate them
    /// again.
    void adopt_prefixes(const NdOptions& prefixes, Clock::time_point now);
    /// Nothing leaves in full form before: another daemon was asked whether it is there.
    void hold_full_until(Clock::time_point at) { hold_until_ = at; }
    /// Full form with these settings, or supplement: as at the start. Like set_link, it takes
    /// effect with the first set_options.
    void set_full(std::optional<FullSettings> settings, Clock::time_point now);
    /// What the link contributes to the full form.
    void set_link(LinkFacts link, Clock::time_point now);
    /// From now on exactly these, in this order: units as ra/options.h has them. Returns how many
    /// were left out: no packet can hold them, or their Length is not their own.
    std::size_t set_options(NdOptions options, Clock::time_point now, Ends ends = {});
    void withdraw(Clock::time_point now) { set_options({}, now); }
    /// Withdraws within a second rather than at the usual pace: the process is about to end.
    void finish(Clock::time_point now);

    void on_solicitation(const Ipv6& source, Clock::time_point now);
    /// An RA daemon of this machine was heard, by everybody (`multicast`) or by one host. `asked`
    /// as in Mirror.
    void on_daemon_advertisement(const Advertisement& advertisement, bool multicast, bool asked,
                                 Clock::time_point now);
    /// The RA daemon of this machine doesn't answer any more.
    void on_daemon_ended(Clock::time_point now);

    /// What time alone changes: another daemon has ended, what it told has. send_due() begins with
    /// it.
    void settle(Clock::time_point now);
    /// Sends all that is due at `now`.
    void send_due(Clock::time_point now, const Send& send);
    /// When send_due() should be called again, if nothing happens before.
    Clock::time_point wake() const;

    /// Whether we are the RA daemon of the link now.
    bool is_full() const { return full_.has_value(); }
    /// Whether we would be, and another one is.
    bool yields() const { return yielded_.has_value(); }
    bool wants_options() const { return !options_.empty(); }
    /// What of ours is left to the daemon, which tells of encrypted resolvers itself.
    NdOptions left_to_daemon(Clock::time_point now) const;
    /// What the daemon tells of resolvers, plain and encrypted.
    NdOptions daemon_tells(Clock::time_point now) const { return heard_.standing(now); }
    bool heard_daemon() const { return mirror_.heard(); }
    /// When the daemon seemed to end, unless it was heard of since.
    std::optional<Clock::time_point> daemon_farewell() const { return mirror_.farewell(); }
    /// Whether hosts can be told something now: there is a daemon whose header can be used, or we
    /// are it.
    bool can_announce(Clock::time_point now) const;
    /// Nothing is announced, and nothing waits to be withdrawn.
    bool silent() const;
    /// What hosts may know from us, or soon will: announced options, and withdrawn ones until that
    /// is done. Interface and source are left to the caller. No header: none was ever known.
    Announced announced(Clock::time_point now) const;
    /// What hosts are told at `now`, if anything.
    std::optional<Advertisement> said(Clock::time_point now) const;

  private:
    struct Withdrawal {
        Buffer option;  // with Lifetime 0
        unsigned left = withdrawals;
        Clock::time_point until = Clock::time_point::min();  // and at least that long
    };
    struct Answer {
        Ipv6 to;
        Clock::time_point at;
    };

    void yield();
    void judge_former_prefixes(Clock::time_point now);
    void take_over(Clock::time_point now);
    Clock::time_point other_ends_at() const;
    void follow_daemon(Clock::time_point now);
    void start(Clock::time_point now);
    void changed(const std::optional<RouterHeader>& former_header, const NdOptions& former,
                 Clock::time_point now);
    void take_back_all_but(const NdOptions& wanted, Clock::time_point now);
    Buffer without_daemons(const Buffer& unit, Clock::time_point now) const;
    void forget_done(Clock::time_point now);
    void begin_farewell(RouterHeader header, Clock::time_point from);
    void end_farewell();
    void finish_round(Clock::time_point now);
    void note_told(const NdOptions& sent);
    bool send_to(const Ipv6& to, NdOptions options, Clock::time_point now, const Send& send);
    Clock::time_point multicast_at() const;
    Clock::duration next_interval(Clock::time_point now);
    bool comes_nearer(const Ends& ends, Clock::time_point now) const;
    NdOptions wanted(Clock::time_point now) const;
    NdOptions content(Clock::time_point now) const;
    std::optional<RouterHeader> full_header() const;
    std::optional<RouterHeader> header_at(Clock::time_point now) const;
    bool speaks(Clock::time_point now) const;

    Interval interval_;
    Random& random_;
    Mirror mirror_;
    HeardOptions heard_;  // from the daemon
    std::optional<FullSettings> full_;
    std::optional<FullSettings> yielded_;  // what we would be, were it not for the other
    std::optional<Clock::time_point> other_last_words_;  // heard while we were the daemon
    Clock::time_point hold_until_ = Clock::time_point::min();
    LinkFacts link_;
    NdOptions options_;
    Ends ends_;                    // of them
    Clock::time_point settled_{};  // what time alone changes was looked at last
    NdOptions left_;               // of them, as left_to_daemon() was last
    NdOptions former_prefixes_;
    Clock::time_point former_until_{};  // when they are judged at the latest
    NdOptions dormant_;   // a router's options that hosts may know while we are not the daemon
    bool begun_ = false;  // set_options was called
    NdOptions told_;      // what left and was not taken back since
    bool told_full_ = false;
    std::optional<Announced> former_;  // adopted
    std::vector<Withdrawal> withdrawing_;
    std::optional<RouterHeader> farewell_;  // of a full form that ended
    unsigned farewells_left_ = 0;
    Clock::time_point farewell_from_ = Clock::time_point::min();

    std::deque<NdOptions> round_;  // packets of the multicast under way that have not left
    bool round_failed_ = false;
    unsigned failures_ = 0;  // rounds in a row
    Clock::time_point due_ = never;
    Clock::time_point spaced_ = Clock::time_point::min();    // no multicast before, by our last one
    Clock::time_point courtesy_ = Clock::time_point::min();  // better not before, by the daemon's
    unsigned initial_left_ = 0;
    bool finishing_ = false;
    std::vector<Answer> answers_;
};

}  // namespace porchlight::ra
