#include "forwarder/sessions.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "core/computed.h"
#include "forwarder/device_id.h"

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t read_octets = 16384;
/// However scarce slots are, whoever got one may ask his question.
constexpr std::chrono::milliseconds idle_min{500};
constexpr std::chrono::milliseconds sweep_pause_min{10};
constexpr std::size_t lent_octets_max = 256 << 10;  // of one buffer, that stay when it was larger

}  // namespace

struct Sessions::Timer {
    asio::steady_timer timer;
};

Sessions::Sessions(asio::any_io_executor loop, Poller& poller, Responder& responder,
                   Admission& admission, Serving& serving, Counters& counters, unsigned workers)
    : loop_(loop),
      poller_(poller),
      responder_(responder),
      admission_(admission),
      serving_(serving),
      counters_(counters),
      timer_(new Timer{asio::steady_timer(loop)}),
      workers_(workers),
      credit_timer_(new Timer{asio::steady_timer(loop)}),
      input_(2 + frame_octets_max + read_octets) {}

Sessions::~Sessions() {
    close_all();
}

void Sessions::apply(const Settings& settings) {
    limits_ = settings.limits;
    doh_paths_ = settings.doh_paths;
    doh_http1_ = settings.doh_http1;
    adn_ = settings.adn.is_root() ? "" : dns::to_host(settings.adn);
    devices_.clear();
    for (const RebindingRules::Device& device : settings.rebinding.allow_devices)
        if (!device.id.empty()) devices_.push_back(device.id);
    for (const auto& session : sessions_)
        if (session) session->identify();
    handshakes_.set_share(
        {limits_.handshake_cpu_share_percent, limits_.handshake_cpu_burst, workers_});
    arm(Clock::now());
}

std::optional<View> Sessions::view_by(std::string_view server_name) const {
    const std::string_view device = device_in_name(server_name, adn_);
    return device.empty() ? std::nullopt : responder_.view_of_device(device);
}

void Sessions::open(Stream stream, Client* client, Leg leg) {
    if (free_places_.empty()) {
        free_places_.push_back(static_cast<std::uint32_t>(sessions_.size()));
        sessions_.emplace_back();
        generations_.push_back(0);
    }
    const std::uint32_t place = free_places_.back();
    free_places_.pop_back();
    if (std::uint32_t* count = count_of(leg)) ++*count;
    sessions_[place] = std::make_unique<Session>(*this, Session::Ref{place, generations_[place]},
                                                 std::move(stream), client, leg);
    // One more may leave less time for those that idle.
    for (const Waiting waiting : {Waiting::idle, Waiting::idle_http}) {
        const DeadlineHook* idle = deadlines_.oldest(waiting);
        if (idle == nullptr) continue;
        const Clock::time_point end = idle->since + given(waiting);
        // Never later than it is: else whoever comes in often enough puts it off for ever.
        if (const auto at = std::max(end, now_ + sweep_pause_min); at < armed_for_) arm(at);
    }
}

/// Null where nobody counts.
std::uint32_t* Sessions::count_of(const Leg& leg) {
    if (!leg.encrypted) return nullptr;
    return leg.http ? &doh_count_ : &dot_count_;
}

void Sessions::leave_unless(const std::function<bool(const Leg&)>& stays) {
    now_ = Clock::now();
    for (std::size_t place = 0; place < sessions_.size(); ++place)
        if (sessions_[place] && !stays(sessions_[place]->leg())) sessions_[place]->leave();
    buried_.clear();
}

void Sessions::leave_all(std::function<void()> then) {
    when_empty_ = std::move(then);
    leave_unless([](const Leg&) { return false; });
    tell_if_empty();
}

void Sessions::tell_if_empty() {
    if (when_empty_ && free_places_.size() == sessions_.size())
        asio::post(loop_, std::exchange(when_empty_, nullptr));
}

void Sessions::close_all() {
    for (std::size_t place = 0; place < sessions_.size(); ++place)
        if (sessions_[place]) sessions_[place]->close(Stream::Close::politely);
    buried_.clear();
}

void Sessions::shed_soon() {
    asio::post(loop_, [this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) close_shed();
    });
}

void Sessions::close_shed() {
    now_ = Clock::now();
    for (std::size_t place = 0; place < sessions_.size(); ++place)
        if (sessions_[place] && sessions_[place]->was_shed())
            sessions_[place]->close(Stream::Close::politely);
    buried_.clear();
}

void Sessions::before_turn() {
    now_ = Clock::now();
    in_turn_ = true;
}

void Sessions::after_turn() {
    write_dirty();
    in_turn_ = false;
    if (!dirty_.empty()) poller_.wake_again();
}

/// One: whoever is established comes before the next.
void Sessions::after_wake() {
    if (handshakes_.empty()) return;
    if (const auto place = handshakes_.next(now_)) compute_handshake(*sessions_[*place]);
    if (handshakes_.empty()) return;
    if (handshakes_.credit_at() <= now_)
        poller_.wake_again();
    else
        wait_for_credit();
}

void Sessions::compute_handshake(Session& session) {
    in_turn_ = true;
    const std::chrono::nanoseconds before = thread_computed();
    session.take_turn();
    handshakes_.spend(thread_computed() - before, now_);
    after_turn();
}

void Sessions::wait_for_credit() {
    if (credit_awaited_ == handshakes_.credit_at()) return;
    credit_awaited_ = handshakes_.credit_at();
    credit_timer_->timer.expires_at(credit_awaited_);
    credit_timer_->timer.async_wait([this, alive = std::weak_ptr(alive_)](error_code ec) {
        if (!ec && !alive.expired()) poller_.wake_again();
    });
}

HandshakeQueue::Turn Sessions::wait_for_turn(const Session& session, const Client& client) {
    if (!handshakes_.is_free(now_)) ++counters_.handshakes_waited;
    return handshakes_.wait(client.turns(), session.ref().place);
}

void Sessions::give_up(const HandshakeQueue::Turn& turn) {
    ++counters_.handshakes_dropped;
    handshakes_.leave(turn);
}

Session* Sessions::find(const Session::Ref& ref) const {
    return generations_[ref.place] == ref.generation ? sessions_[ref.place].get() : nullptr;
}

void Sessions::wait_for(Session& session, Waiting waiting) {
    deadlines_.set(session, waiting, now_);
    if (waiting == Waiting::nothing) return;
    const Clock::time_point end = now_ + given(waiting);
    if (end < armed_for_) arm(end);
}

void Sessions::mark_dirty(Session& session) {
    if (std::exchange(session.dirty_, true)) return;
    dirty_.push_back(session.ref());
    if (in_turn_ || std::exchange(write_posted_, true)) return;
    // Behind all that this turn of the loop still brings.
    asio::post(loop_, [this, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        write_posted_ = false;
        before_turn();
        after_turn();
    });
}

/// What is written may let a session read on, and so make it dirty again: then it waits until all
/// others had their turn.
void Sessions::write_dirty() {
    writing_.swap(dirty_);
    for (const Session::Ref& ref : writing_) {
        Session* session = find(ref);
        if (session == nullptr) continue;
        session->dirty_ = false;
        session->after_answers();
    }
    writing_.clear();
    buried_.clear();
    for (Writer* lent : {&output_, &late_output_}) lent->give_back_beyond(lent_octets_max);
}

void Sessions::bury(Session& session) {
    const std::uint32_t place = session.ref().place;
    deadlines_.clear(session);
    if (std::uint32_t* count = count_of(session.leg_)) --*count;
    ++generations_[place];
    free_places_.push_back(place);
    buried_.push_back(std::move(sessions_[place]));
    tell_if_empty();
}

std::chrono::milliseconds Sessions::given(Waiting waiting) const {
    switch (waiting) {
        case Waiting::handshake:
            return limits_.handshake_max;
        case Waiting::frame:
            return limits_.frame_max;
        case Waiting::reading:
            return limits_.stalled_max;
        case Waiting::idle:
            return idle_given(limits_);
        case Waiting::idle_http: {
            Limits limits = limits_;
            limits.idle_max = limits.doh_idle_max;
            return idle_given(limits);
        }
        case Waiting::leaving:
            return limits_.leaving_max;
        case Waiting::nothing:
            break;
    }
    return std::chrono::milliseconds::max();
}

/// Less of it as slots run out.
std::chrono::milliseconds Sessions::idle_given(const Limits& limits) const {
    return std::max(admission_.idle_max(limits), std::min(idle_min, limits.idle_max));
}

void Sessions::arm(Clock::time_point end) {
    armed_for_ = end;
    timer_->timer.expires_at(end);
    timer_->timer.async_wait([this, alive = std::weak_ptr(alive_)](error_code ec) {
        if (!ec && !alive.expired()) sweep();
    });
}

/// Ends whoever is over his time, and sleeps until the next one could be.
void Sessions::sweep() {
    now_ = Clock::now();
    armed_for_ = Clock::time_point::max();
    Clock::time_point next = armed_for_;
    for (const Waiting waiting : kinds) {
        const auto allowed = given(waiting);
        DeadlineHook* hook = deadlines_.oldest(waiting);
        for (; hook != nullptr && hook->since + allowed <= now_; hook = deadlines_.oldest(waiting))
            static_cast<Session*>(hook)->expire();
        if (hook != nullptr) next = std::min(next, hook->since + allowed);
    }
    buried_.clear();
    if (next < armed_for_) arm(std::max(next, now_ + sweep_pause_min));
}

}  // namespace porchlight::forwarder
