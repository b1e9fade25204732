#include "ra/link_announcer.h"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/log.h"
#include "net/link.h"
#include "ra/contradictions.h"
#include "ra/link_sockets.h"

namespace porchlight::ra {
namespace {

constexpr std::size_t checksum_end = 4;  // in an ICMPv6 message

using Descriptor = asio::posix::stream_descriptor;

/// One of the two sockets, and Asio's eye on it.
struct Watched {
    Watched(asio::any_io_executor executor, FileDescriptor opened)
        : socket(std::move(opened)), readable(executor, socket.get()) {}
    // Only we close it.
    ~Watched() { close(); }
    void close() {
        if (readable.is_open()) readable.release();
        socket.reset();
    }
    FileDescriptor socket;
    Descriptor readable;
};

}  // namespace

struct LinkAnnouncer::State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor executor, std::string name, Sockets sockets,
          Sender::Interval interval, const TimeSource& source_of_time, Random& random, OnStore call)
        : interface(std::move(name)),
          icmpv6(executor, std::move(sockets.icmpv6)),
          frames(executor, std::move(sockets.frames)),
          timer(executor),
          time(source_of_time),
          sender(interval, random),
          on_store(std::move(call)) {
        // What was sent before we were here is not for us to judge: it may be of our predecessor.
        while (receive_frame(frames.socket, buffer)) continue;
    }

    static awaitable<void> watch(std::shared_ptr<State> state, Watched State::*which,
                                 bool (State::*take)());
    bool take_icmpv6();
    bool take_frame();
    void on_own_advertisement(const Received& received, bool answer);
    void on_other_advertisement(const Advertisement& advertisement, const Ipv6& from);
    void ask_before_full(Clock::time_point now);
    void doubt_daemon();
    void ask_daemon(Clock::time_point now);
    void solicit_daemon(Clock::time_point now);
    void log_who_speaks(Clock::time_point now);
    bool send(const Packet& packet, Clock::time_point now);
    bool is_own_packet(Bytes octets) const;
    void pump_soon();
    void pump();
    void arm();
    void store_if_news();
    void close();

    Announced announced() const {
        Announced now = sender.announced(time.now());
        now.interface = interface;
        now.source = source;
        now.route_until = std::chrono::floor<std::chrono::seconds>(now.route_until);
        return now;
    }
    /// Nobody can be answered before, nor told from ourselves.
    bool knows_itself() const { return sender.is_full() || sender.heard_daemon(); }

    std::string interface;
    Watched icmpv6;
    Watched frames;
    asio::steady_timer timer;
    const TimeSource& time;
    Sender sender;
    OnStore on_store;
    bool open = true;

    /// Whom hosts take what they hear from: the daemon, or its former self, or us.
    Ipv6 source;
    std::optional<Ipv6> link_source;  // ours, as the link was read last
    Announced stored;                 // as on_store last had it
    std::deque<Buffer> own_packets;   // that were sent in full form, the latest last
    Clock::time_point solicit_at = Sender::never;
    std::optional<Clock::time_point> solicited_at;
    std::optional<Clock::time_point> daemon_heard_at;
    Clock::duration solicit_again = solicitation_interval;
    bool answers = false;     // the daemon did, when it was asked
    bool in_doubt = false;    // nothing was heard of the daemon since we would be it
    unsigned unanswered = 0;  // questions in a row
    bool asked_before_full = false;
    bool yielded = false;  // as it was logged last
    bool left_some = false;
    bool pump_posted = false;
    Counters counters;
    log::Limiter send_failure_lines;
    log::Limiter contradiction_lines;
    std::array<std::uint8_t, receive_octets_max> buffer;
};

LinkAnnouncer::LinkAnnouncer(asio::any_io_executor executor, std::string interface, Sockets sockets,
                             Sender::Interval interval, const TimeSource& time, Random& random,
                             OnStore on_store)
    : state_(std::make_shared<State>(executor, std::move(interface), std::move(sockets), interval,
                                     time, random, std::move(on_store))) {
    asio::co_spawn(executor, State::watch(state_, &State::icmpv6, &State::take_icmpv6),
                   asio::detached);
    asio::co_spawn(executor, State::watch(state_, &State::frames, &State::take_frame),
                   asio::detached);
    state_->solicit_at = time.now();
    state_->arm();
}

void LinkAnnouncer::adopt(const Announced& former) {
    state_->source = former.source;
    state_->stored = former;
    state_->sender.adopt(former, state_->time.now() + daemon_first);
}

void LinkAnnouncer::adopt_prefixes(const NdOptions& prefixes) {
    state_->sender.adopt_prefixes(prefixes, state_->time.now());
}

void LinkAnnouncer::set_full(std::optional<FullSettings> settings) {
    if (!settings) state_->asked_before_full = false;
    if (!settings && state_->sender.is_full()) {
        state_->solicit_at = state_->time.now();
        state_->solicit_again = solicitation_interval;
    }
    const bool yielded_before = state_->sender.yields();
    state_->sender.set_full(std::move(settings), state_->time.now());
    if (!yielded_before && state_->sender.yields()) state_->doubt_daemon();
    state_->pump_soon();
}

void LinkAnnouncer::set_link(const net::Link& link) {
    LinkFacts facts = link_facts(link);
    state_->link_source = facts.source;
    state_->sender.set_link(std::move(facts), state_->time.now());
    state_->pump_soon();
}

void LinkAnnouncer::set_options(NdOptions options, Ends ends) {
    const std::size_t left_out =
        state_->sender.set_options(std::move(options), state_->time.now(), std::move(ends));
    state_->counters.options_left_out += left_out;
    if (left_out > 0)
        log::warn("options too large for a Router Advertisement left out",
                  {{"interface", state_->interface}, {"options", std::to_string(left_out)}});
    state_->pump_soon();
}

awaitable<void> LinkAnnouncer::withdraw() {
    const std::shared_ptr<State> state = state_;
    const Clock::time_point give_up = state->time.now() + withdraw_within_max;
    state->sender.finish(state->time.now());
    state->pump();
    asio::steady_timer pause(state->timer.get_executor());
    while (state->open && !state->sender.silent() && state->sender.wake() != Sender::never &&
           state->time.now() < give_up) {
        pause.expires_after(
            std::max<Clock::duration>(state->sender.wake() - state->time.now(), {}));
        co_await pause.async_wait(asio::use_awaitable);
        if (state->open) state->pump();
    }
}

LinkAnnouncer::Beside LinkAnnouncer::beside() const {
    const Clock::time_point now = state_->time.now();
    Beside beside;
    if (state_->sender.yields()) beside.yields_to = state_->source;
    beside.left_to_daemon = state_->sender.left_to_daemon(now);
    beside.daemon_tells = state_->sender.daemon_tells(now);
    return beside;
}

Announced LinkAnnouncer::announced() const {
    return state_->announced();
}

bool LinkAnnouncer::can_announce() const {
    return state_->sender.can_announce(state_->time.now());
}

const LinkAnnouncer::Counters& LinkAnnouncer::counters() const {
    return state_->counters;
}

void LinkAnnouncer::close() {
    if (state_) state_->close();
}

void LinkAnnouncer::State::close() {
    open = false;
    icmpv6.close();
    frames.close();
    timer.cancel();
}

awaitable<void> LinkAnnouncer::State::watch(std::shared_ptr<State> state, Watched State::*which,
                                            bool (State::*take)()) {
    try {
        while (state->open) {
            co_await (state.get()->*which)
                .readable.async_wait(Descriptor::wait_read, asio::use_awaitable);
            for (int i = 0; i < messages_per_turn_max && state->open; ++i)
                if (!(state.get()->*take)()) break;
            if (state->open) state->pump();
        }
    } catch (const system_error& end) {
        if (end.code() != asio::error::operation_aborted)
            log::error("no longer announcing by Router Advertisement",
                       {{"interface", state->interface}, {"error", end.what()}});
    }
}

/// Hosts that solicit, other routers, and the daemon's answer to our own solicitation.
bool LinkAnnouncer::State::take_icmpv6() {
    const auto received = receive_icmpv6(icmpv6.socket, buffer);
    if (!received) return false;
    const Clock::time_point now = time.now();
    const Ipv6& from = received->envelope.source;
    const bool from_here = knows_itself() && (from == source || from == link_source);
    // Only when we asked: what else claims to be the daemon here, the frame socket didn't see
    // leave.
    if (is_own_answer(*received) && solicited_at && now - *solicited_at < answer_within_max) {
        if (!is_own_packet(received->octets)) on_own_advertisement(*received, true);
    } else if (from_here || !knows_itself()) {
        // Our solicitation and the daemon's multicasts, looped back; or too early.
    } else if (parse_solicitation(received->octets, received->envelope)) {
        ++counters.solicitations;
        sender.on_solicitation(received->envelope.source, now);
    } else if (auto other = parse_advertisement(received->octets, received->envelope)) {
        on_other_advertisement(*other, received->envelope.source);
    } else {
        ++counters.malformed;
    }
    return true;
}

bool LinkAnnouncer::State::take_frame() {
    const auto received = receive_frame(frames.socket, buffer);
    if (received && !is_own_packet(received->octets)) on_own_advertisement(*received, false);
    return received.has_value();
}

/// `answer`: to a solicitation of ours.
void LinkAnnouncer::State::on_own_advertisement(const Received& received, bool answer) {
    const auto advertisement = parse_advertisement(received.octets, received.envelope);
    if (!advertisement || is_supplement(*advertisement)) return;
    const Clock::time_point now = time.now();
    ++counters.daemon_advertisements;
    const bool known = sender.heard_daemon() && source == received.envelope.source;
    const bool asked = answer && solicited_at > daemon_heard_at;
    sender.on_daemon_advertisement(*advertisement, received.destination == all_nodes, asked, now);
    daemon_heard_at = now;
    answers |= asked;
    in_doubt = false;
    unanswered = 0;
    if (!sender.is_full()) {
        source = received.envelope.source;
        if (!known && !sender.yields())
            log::info("RA daemon heard", {{"interface", interface}, {"address", to_text(source)}});
    }
    // One that lives answers, one that has ended doesn't.
    if (sender.yields() || sender.is_full()) {
        const bool ending = sender.daemon_farewell() || sender.is_full();
        solicit_again = other_asked_again;
        solicit_at = now + (ending ? Clock::duration(solicit_again) : other_asked_after);
    } else {
        solicit_again = farewell_asked_after;
        solicit_at = sender.daemon_farewell() ? now + farewell_asked_after : Sender::never;
    }
}

/// RFC 4861 section 6.2.7.
void LinkAnnouncer::State::on_other_advertisement(const Advertisement& advertisement,
                                                  const Ipv6& from) {
    ++counters.other_advertisements;
    const auto ours = sender.said(time.now());
    if (!ours) return;
    const std::vector<std::string> found = contradictions(*ours, advertisement);
    if (found.empty()) return;
    ++counters.contradictions;
    if (contradiction_lines.admit(time.now()))
        log::warn("another router contradicts this one",
                  {{"interface", interface}, {"address", to_text(from)}, {"in", found.front()}});
}

/// Two daemons must not speak at once, not even for a moment: whoever is there is asked first.
void LinkAnnouncer::State::ask_before_full(Clock::time_point now) {
    if (!sender.is_full() || !link_source || std::exchange(asked_before_full, true)) return;
    sender.hold_full_until(now + full_waits);
    solicit_again = other_asked_again;
    solicit_daemon(now);
}

/// A supplement is to be the daemon, most likely because the one that it stood beside was told to
/// be none any more. Its last word may be old, and it need not have said farewell.
void LinkAnnouncer::State::doubt_daemon() {
    in_doubt = true;
    asked_before_full = true;  // by these very questions
    unanswered = 0;
    solicit_again = other_asked_again;
    solicit_at = time.now();
}

void LinkAnnouncer::State::ask_daemon(Clock::time_point now) {
    if (sender.yields() && (answers || in_doubt) && unanswered >= other_questions) {
        sender.on_daemon_ended(now);
        solicit_at = Sender::never;
        return;
    }
    // In full form nobody need be there to answer.
    if (sender.is_full() && unanswered >= other_questions) {
        solicit_at = Sender::never;
        return;
    }
    solicit_daemon(now);
}

void LinkAnnouncer::State::solicit_daemon(Clock::time_point now) {
    const auto sent = solicit(icmpv6.socket);
    if (sent) ++unanswered;
    solicited_at = now;
    solicit_at = now + solicit_again;
    if (sent) {
        solicit_again = std::min<Clock::duration>(solicit_again * 2, solicitation_interval_max);
    } else {  // the interface has no address yet: that can end any moment
        solicit_at = now + std::max<Clock::duration>(solicit_again, farewell_asked_after);
        log::debug("cannot solicit the RA daemon",
                   {{"interface", interface}, {"error", sent.error().message}});
    }
}

bool LinkAnnouncer::State::send(const Packet& packet, Clock::time_point now) {
    const auto sent = send_icmpv6(icmpv6.socket, source, packet.destination, packet.octets);
    if (!sent) {
        ++counters.send_failures;
        if (send_failure_lines.admit(now))
            log::warn("Router Advertisement not sent",
                      {{"interface", interface}, {"error", sent.error().message}});
        return false;
    }
    ++(packet.destination == all_nodes ? counters.multicasts : counters.answers);
    own_packets.push_back(packet.octets);
    if (own_packets.size() > own_packets_max) own_packets.pop_front();
    return true;
}

/// In full form nothing else tells our own frames from a daemon's. The kernel fills the checksum
/// in.
bool LinkAnnouncer::State::is_own_packet(Bytes octets) const {
    return std::any_of(own_packets.begin(), own_packets.end(), [&](const Buffer& own) {
        return own.size() == octets.size() &&
               equal(Bytes(own).subspan(checksum_end), octets.subspan(checksum_end));
    });
}

/// At the end of this turn: what changes together shall leave together.
void LinkAnnouncer::State::pump_soon() {
    if (std::exchange(pump_posted, true)) return;
    asio::post(timer.get_executor(), [waiting = weak_from_this()] {
        const auto state = waiting.lock();
        if (!state) return;
        state->pump_posted = false;
        if (state->open) state->pump();
    });
}

void LinkAnnouncer::State::log_who_speaks(Clock::time_point now) {
    if (yielded != sender.yields()) {
        yielded = sender.yields();
        if (yielded)
            log::warn("another RA daemon of this router has the link, standing beside it",
                      {{"interface", interface}, {"address", to_text(source)}});
        else if (sender.is_full())
            log::info("the other RA daemon has ended, being the daemon",
                      {{"interface", interface}});
    }
    if (sender.wants_options() && left_some == sender.left_to_daemon(now).empty()) {
        left_some = !left_some;
        log::info(left_some ? "the RA daemon announces encrypted DNS itself, leaving it to that"
                            : "the RA daemon no longer announces encrypted DNS itself",
                  {{"interface", interface}});
    }
}

/// Sends what is due, and sleeps until the next is.
void LinkAnnouncer::State::pump() {
    const Clock::time_point now = time.now();
    ask_before_full(now);
    if (now >= solicit_at) ask_daemon(now);
    sender.settle(now);
    if (sender.is_full() && link_source) source = *link_source;
    log_who_speaks(now);
    store_if_news();
    sender.send_due(now, [&](const Packet& packet) { return send(packet, now); });
    store_if_news();
    arm();
}

void LinkAnnouncer::State::arm() {
    if (!open) return;
    const Clock::time_point at = std::min(sender.wake(), solicit_at);
    if (at == Sender::never) {
        timer.cancel();
        return;
    }
    timer.expires_after(std::max<Clock::duration>(at - time.now(), Clock::duration::zero()));
    timer.async_wait([waiting = weak_from_this()](error_code ec) {
        const auto state = waiting.lock();
        if (!ec && state && state->open) state->pump();
    });
}

void LinkAnnouncer::State::store_if_news() {
    Announced now = announced();
    const bool aged = now.header.router_lifetime.count() > 0 &&
                      now.route_until - stored.route_until > now.header.router_lifetime / 2;
    const bool same = same_but_for_lifetimes(now.options, stored.options) &&
                      now.header == stored.header && now.source == stored.source &&
                      now.full == stored.full && !aged;
    if (same || (!now.standing() && !stored.standing())) return;
    stored = std::move(now);
    if (on_store) on_store(stored);
}

}  // namespace porchlight::ra
