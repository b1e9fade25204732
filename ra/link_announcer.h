#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/clock.h"
#include "core/file_descriptor.h"
#include "core/random.h"
#include "net/asio.h"
#include "ra/announced.h"
#include "ra/sender.h"

namespace porchlight::ra {

/// Announces options on one link: the loop around a Sender. Needs no privilege, for the two sockets
/// (ra/link_sockets.h) are handed over; when the interface goes and comes again, so must they.
/// - As a supplement it solicits the RA daemon of this machine at the start, over and again until
///   that was heard, and after its farewell, to tell an end from the loss of an uplink.
/// - In full form (set_full) it is the RA daemon, unless another one of this machine answers at the
///   start or is heard later: that one has the link until it has ended (see Sender). It is asked
///   every `other_asked_after`, for not every daemon says farewell; one that used to answer
///   and leaves `other_questions` in a row without an answer has ended. A supplement that becomes
///   the daemon asks at once, and ends one that leaves those without an answer.
/// - What is set in one turn of the loop leaves together.
class LinkAnnouncer {
  public:
    struct Sockets {
        FileDescriptor icmpv6;
        FileDescriptor frames;
    };

    struct Counters {
        std::uint64_t multicasts = 0;  // advertisements sent to all hosts
        std::uint64_t answers = 0;     // advertisements sent to one
        std::uint64_t send_failures = 0;
        // Of what comes before the daemon was heard nothing is counted.
        std::uint64_t solicitations = 0;          // received, well formed
        std::uint64_t daemon_advertisements = 0;  // heard from the daemon of this machine
        std::uint64_t other_advertisements = 0;   // received from other routers of the link
        std::uint64_t contradictions = 0;         // of those, by what RFC 4861 6.2.7 compares
        std::uint64_t malformed = 0;              // received, discarded
        std::uint64_t options_left_out = 0;       // too large for a packet
    };

    /// Called before anything that differs leaves, and now and then to keep `route_until` fresh:
    /// stored, it lets a later process take back what hosts know. Not standing(): nothing is left.
    using OnStore = std::function<void(const Announced& announced)>;

    static constexpr std::chrono::seconds solicitation_interval{4};  // RTR_SOLICITATION_INTERVAL
    static constexpr std::chrono::seconds solicitation_interval_max{
        600};                                                    // after doubling each time
    static constexpr std::chrono::seconds answer_within_max{5};  // of the daemon, to a solicitation
    static constexpr std::chrono::seconds withdraw_within_max{5};
    /// How long a daemon that may live is waited for before something is taken back without it.
    static constexpr std::chrono::milliseconds daemon_first{1500};
    static constexpr std::chrono::seconds farewell_asked_after{1};
    /// How long another daemon may take to answer before full form begins: its 0.5 s, and as much.
    static constexpr std::chrono::seconds full_waits{1};
    static constexpr std::chrono::seconds other_asked_after{30};
    /// And after its farewell, or its silence, again; doubling each time.
    static constexpr std::chrono::milliseconds other_asked_again{300};
    static constexpr unsigned other_questions = 4;       // 4.5 s
    static constexpr std::size_t own_packets_max = 256;  // remembered, to be known when heard
    static constexpr int messages_per_turn_max = 16;

    /// `time` and `random` must outlive the executor's run.
    LinkAnnouncer(asio::any_io_executor executor, std::string interface, Sockets sockets,
                  Sender::Interval interval, const TimeSource& time, Random& random,
                  OnStore on_store);
    LinkAnnouncer(LinkAnnouncer&&) = default;
    LinkAnnouncer& operator=(LinkAnnouncer&&) = delete;
    ~LinkAnnouncer() { close(); }

    /// What a former process announced on this link. Before set_options.
    void adopt(const Announced& former);
    /// As Sender::adopt_prefixes.
    void adopt_prefixes(const NdOptions& prefixes);
    /// As Sender::set_full: be the RA daemon, or stand beside it.
    void set_full(std::optional<FullSettings> settings);
    /// The link as it was read last. Full form needs it after every change, and now and then
    /// without one, for a lifetime may have been extended.
    void set_link(const net::Link& link);
    /// As Sender::set_options. Nothing leaves before the first call.
    void set_options(NdOptions options, Ends ends = {});
    /// Takes everything back within about a second and returns when that has left, or when it can't
    /// leave (no daemon was ever heard, or sending fails): then announced() goes on saying so.
    awaitable<void> withdraw();

    /// How the daemon of this machine stands beside us.
    struct Beside {
        std::optional<Ipv6> yields_to;  // the RA daemon that has the link, where we would be it
        NdOptions left_to_daemon;       // what of ours is not sent: the daemon tells such itself
        NdOptions daemon_tells;         // of resolvers
    };
    Beside beside() const;
    Announced announced() const;
    /// Whether hosts can be told something now: the RA daemon is there, or we are it.
    bool can_announce() const;
    const Counters& counters() const;
    /// Ends silently: what was announced stays announced. No OnStore follows.
    void close();

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the waiting coroutines, which may end after us
};

}  // namespace porchlight::ra
