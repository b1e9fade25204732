#include "forwarder/session.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "forwarder/frames.h"
#include "forwarder/http1.h"
#include "forwarder/http2.h"
#include "forwarder/memory.h"
#include "forwarder/sessions.h"

namespace porchlight::forwarder {
namespace {

constexpr std::size_t write_octets = 16384;  // one TLS record
constexpr std::size_t hear_octets = 1024;    // of HTTP, before its answers are looked at
// Of one connection; then all others read. What it asks is one write of about as much.
constexpr std::size_t octets_per_turn_max = 16384;
constexpr int reads_per_turn_max = 64;           // of a record each
constexpr std::chrono::seconds blocked_for{60};  // a client that needs more
constexpr std::chrono::milliseconds keepalive_unit{100};
constexpr std::size_t unread_max_factor = 4;  // of output_bytes_max, with what was in flight

static_assert(sizeof(Session) <= 512, "thousands of connections idle");

}  // namespace

Session::Session(Sessions& home, Ref ref, Stream stream, Client* client, Leg leg)
    : home_(home), ref_(ref), stream_(std::move(stream)), client_(client), leg_(leg) {
    leg_.client = client_;
    established_ = !stream_.is_encrypted();
    events_ = EPOLLIN;
    home_.poller().watch(stream_.descriptor(), events_, *this);
    home_.wait_for(*this, established_ ? idling() : Waiting::handshake);
}

Session::~Session() {
    if (!closed_) close(Stream::Close::plainly);
}

void Session::on_ready(std::uint32_t events) {
    const Serving::During during(home_.serving(), host());
    on_events(events);
}

/// Not the companion, nor ourselves.
Serving::Host Session::host() const {
    return client_ != nullptr && client_->is_host() ? client_->host() : Serving::Host();
}

void Session::on_events(std::uint32_t events) {
    if (closed_) return;
    if (turn_) return on_events_waiting(events);
    if (!established_) {
        if (reads_too_often()) return;
        shake_hands();
        if (!established_ || closed_ || !stream_.has_pending()) return;
    }
    if (!out_.empty()) {
        write_pending();
        // Of which octets that come give no sign: they are here.
        if (!closed_ && !write_blocked_ && http_ && http_->is_hearing()) home_.mark_dirty(*this);
    }
    if (closed_) return;
    // Where nothing is read an error would come again and again.
    if (!may_read() && (events & (EPOLLERR | EPOLLHUP)) != 0) return close(Stream::Close::plainly);
    if (!may_serve()) return settle();
    serve((events & EPOLLIN) != 0);
}

void Session::block() {
    if (client_ != nullptr) home_.admission().block(*client_, home_.now() + blocked_for);
}

/// Reads what has come and answers all of it that can be answered now. `woken`: the peer sent
/// something.
void Session::serve(bool woken) {
    Writer& out = home_.output();
    out.truncate(0);
    bool asked = false, has_more = false;
    std::size_t octets = 0;
    int reads = 0;
    do {
        const std::span<std::uint8_t> input = home_.input();
        std::size_t have = in_.size();
        if (have != 0) std::memcpy(input.data(), in_.data(), have);
        const std::size_t got = fill(input.subspan(have));
        if (closed_) return;  // and nothing is known of the client any more
        have += got;
        const Taken taken =
            http_ ? answer_http(input.first(have), out) : answer_frames(input.first(have), out);
        note_progress(taken, got != 0 || std::exchange(woken, false));
        asked |= taken.asked;
        octets += got;
        if (taken.octets != have)
            in_.assign(input.begin() + static_cast<std::ptrdiff_t>(taken.octets),
                       input.begin() + static_cast<std::ptrdiff_t>(have));
        else if (!in_.empty())
            in_ = Buffer();
        // What is pending may be the front of a record, of which the rest has yet to come.
        const bool moved = got != 0 || taken.octets != 0;
        has_more = moved && !closed_ && may_read() && stream_.has_pending();
    } while (has_more && octets < octets_per_turn_max && ++reads < reads_per_turn_max);
    if (closed_) return;
    if (has_more) home_.mark_dirty(*this);
    if (out.size() != 0) send(out.view());
    // What is left then is a piece, of which the rest never comes.
    if (ending_ && has_room()) in_ = Buffer();
    settle(asked);
}

/// One read into the room there is. The end of the stream ends the session, once it is answered.
std::size_t Session::fill(std::span<std::uint8_t> into) {
    if (into.empty() || ending_) return 0;
    const Stream::Outcome outcome = stream_.read(into);
    tls_writes_ = outcome.state == Stream::State::wait_writable;
    switch (outcome.state) {
        case Stream::State::done:
            return outcome.count;
        case Stream::State::wait_readable:
        case Stream::State::wait_writable:
        case Stream::State::hello:
            return 0;
        case Stream::State::ended:
            ending_ = true;
            return 0;
        case Stream::State::failed:
            close(Stream::Close::plainly);
            return 0;
    }
    return 0;
}

/// Answers the whole frames in front of `input`, as long as it may, and returns their size.
Session::Taken Session::answer_frames(Bytes input, Writer& out) {
    std::size_t at = 0;
    while (!closed_ && !deaf_ && input.size() - at >= frame_length_octets) {
        const std::size_t length = static_cast<std::size_t>(input[at] << 8 | input[at + 1]);
        if (length < dns::header_octets || length > Sessions::frame_octets_max) {
            break_off();
            break;
        }
        if (input.size() - at < frame_length_octets + length || !has_room()) break;
        answer(input.subspan(at + frame_length_octets, length), out);
        at += frame_length_octets + length;
        if (out.size() > write_octets) {
            const std::size_t record = whole_frames(out.view(), write_octets);
            send(out.view().first(record));
            const std::span<std::uint8_t> left = out.tail(record);
            std::memmove(out.tail(0).data(), left.data(), left.size());
            out.truncate(left.size());
        }
    }
    return {deaf_ ? input.size() : at, at != 0, at != 0};
}

/// Answers what HTTP hears, as long as it may.
Session::Taken Session::answer_http(Bytes input, Writer& out) {
    Taken taken;
    while (!closed_ && !deaf_ && taken.octets < input.size() && has_room()) {
        const std::size_t count = std::min(hear_octets, input.size() - taken.octets);
        const Http::Heard heard = http_->receive(input.subspan(taken.octets, count));
        taken.octets += count;
        taken.whole |= heard >= Http::Heard::frames;
        taken.asked |= heard == Http::Heard::requests;
        if (heard == Http::Heard::broken) break_off();
        write_http(out);
        end_if_too_much_is_held();
    }
    if (deaf_) taken.octets = input.size();
    return taken;
}

/// Appends to `out` what HTTP has to say, as far as the peer takes it.
void Session::write_http(Writer& out) {
    while (!closed_ && !write_blocked_ && http_->write(out)) {
        send(out.view());
        out.truncate(0);
    }
}

/// By what the handshake agreed on. The peer may wait for our first frame.
void Session::begin_http() {
    if (stream_.protocol() == alpn::http2)
        http_ = Http2::create(*this, home_.exchanges());
    else if (stream_.protocol() == alpn::http1 || home_.doh_http1())
        http_ = std::make_unique<Http1>(*this, home_.exchanges());
    if (!http_) return close(Stream::Close::plainly);
    Writer& out = home_.output();
    out.truncate(0);
    write_http(out);
    send(out.view());
}

/// A client that needs very many reads for one query means no good; nor does one whose reads hold
/// pieces of TLS and no octet of a query.
void Session::note_progress(const Taken& taken, bool sent) {
    if (taken.whole) {
        reads_in_vain_ = 0;
    } else if (sent && !ending_ && has_room() && ++reads_in_vain_ > reads_in_vain_max) {
        block();
        break_off();
    }
}

void Session::answer(Bytes message, Writer& out) {
    count_query();
    if (!admit_query()) return refuse(message, out);
    auto given = Responder::Given::nothing;
    framed(out, [&] { given = home_.responder().answer(message, leg_now(), home_.now(), out); });
    if (given != Responder::Given::not_known) return;
    if (auto place = home_.place_for_question(client_))
        look_up(*std::move(place));
    else
        refuse(message, out);
}

/// Over a limit: nothing more is read.
void Session::refuse(Bytes message, Writer& out) {
    ending_ = deaf_ = true;
    framed(out, [&] { home_.responder().refuse(message, leg_now(), home_.now(), out); });
}

/// An id in the path is the request's own word, and comes before the connection's.
std::optional<Responder::Given> Session::ask(const DohRequest& request, std::int32_t stream,
                                             Writer& answer) {
    if (closed_) return std::nullopt;  // by what was asked in front of it
    count_query();
    Leg leg = leg_;
    if (!request.device().empty()) leg.view = home_.responder().view_of_device(request.device());
    const auto given = home_.responder().answer(request.message(), leg, home_.now(), answer);
    if (given != Responder::Given::not_known) return given;
    auto place = home_.place_for_question(client_);
    if (!place) return std::nullopt;
    look_up(stream, *std::move(place));
    return given;
}

void Session::count_query() {
    Counters& counters = home_.counters();
    if (leg_.encrypted) {
        ++(leg_.http ? counters.doh_queries : counters.dot_queries);
        if (client_ != nullptr && client_->is_host()) home_.note_encrypted_query();
    } else {
        ++counters.do53_queries;
        ++counters.do53_tcp_queries;
    }
}

bool Session::admit_query() {
    if (closed_) return false;
    if (!leg_.encrypted) return home_.admission().do53().admit(home_.limits(), home_.now());
    return client_ == nullptr || client_->admit_query(home_.limits(), home_.now());
}

void Session::look_up(WaitingPlace place) {
    ++in_flight_;
    Sessions& home = home_;
    home.responder().find(
        leg_,
        [&home, ref = ref_](const KeptQuery& asked, const Found& found) {
            if (Session* session = home.find(ref)) session->deliver(asked, found);
        },
        std::move(place));
}

void Session::look_up(std::int32_t stream, WaitingPlace place) {
    ++in_flight_;
    home_.responder().find(
        leg_,
        [&home = home_, ref = ref_, stream](const KeptQuery& asked, const Found& found) {
            if (Session* session = home.find(ref)) session->deliver(stream, asked, found);
        },
        std::move(place));
}

void Session::deliver(const KeptQuery& asked, const Found& found) {
    --in_flight_;
    Writer& late = home_.late_output();
    late.truncate(0);
    framed(late, [&] { Responder::write_found(asked, found, leg_now(), late); });
    // To stop reading is not enough: what was in flight by then may be megabytes.
    if (write_blocked_ && out_.size() > home_.limits().output_bytes_max * unread_max_factor) {
        ++home_.counters().closed_slow;
        return close(Stream::Close::reset);
    }
    out_.insert(out_.end(), late.view().begin(), late.view().end());
    home_.mark_dirty(*this);
}

void Session::deliver(std::int32_t stream, const KeptQuery& asked, const Found& found) {
    --in_flight_;
    if (Writer* answer = http_->answer_to(stream)) {
        Responder::write_found(asked, found, leg_, *answer);
        http_->answered(stream);
        end_if_too_much_is_held();
        if (closed_) return;
    }
    home_.mark_dirty(*this);
}

/// A peer that opens no window is read all the same, for he may open it.
void Session::end_if_too_much_is_held() {
    if (closed_ || http_->held() <= home_.limits().output_bytes_max * unread_max_factor) return;
    ++home_.counters().closed_slow;
    close(Stream::Close::reset);
}

void Session::after_answers() {
    if (closed_) return;
    const Serving::During during(home_.serving(), host());
    // What had to wait for an answer, or for room behind one.
    if (http_ && http_->is_hearing() && http_->receive({}) == Http::Heard::requests)
        home_.mark_dirty(*this);
    if (closed_) return;
    if (!write_blocked_) write_pending();
    if (closed_) return;
    // What had to wait, here or inside TLS, gives no sign of its own.
    const bool has_more = !in_.empty() || (events_ & EPOLLIN) == 0 || stream_.has_pending();
    if (has_room() && has_more) return serve(false);
    settle();
}

void Session::send(Bytes octets) {
    if (!out_.empty()) {
        out_.insert(out_.end(), octets.begin(), octets.end());
        if (!write_blocked_) write_pending();
        return;
    }
    while (!octets.empty()) {
        const Stream::Outcome outcome = stream_.write(octets.first(next_write(octets)));
        if (outcome.state == Stream::State::done) {
            octets = octets.subspan(outcome.count);
            if (record_left_ != 0) record_left_ -= static_cast<std::uint32_t>(outcome.count);
            continue;
        }
        if (outcome.state == Stream::State::ended || outcome.state == Stream::State::failed)
            return close(Stream::Close::plainly);
        write_blocked_ = true;
        out_.assign(octets.begin(), octets.end());
        return;
    }
}

/// A frame leaves in one record with its length, not in pieces of two (RFC 7766 section 8). What
/// TLS has begun to write it is given again.
std::size_t Session::next_write(Bytes octets) {
    if (!leg_.encrypted || leg_.http) return octets.size();
    if (record_left_ == 0)
        record_left_ = static_cast<std::uint32_t>(whole_frames(octets, write_octets));
    return record_left_;
}

void Session::write_pending() {
    write_blocked_ = false;
    const Buffer pending = std::exchange(out_, Buffer());
    send(pending);
    const bool some_left = !out_.empty() && out_.size() < pending.size();
    if (some_left && !leaving_) home_.wait_for(*this, Waiting::reading);  // slow, but it reads
    if (!http_ || closed_ || write_blocked_) return;
    Writer& late = home_.late_output();
    late.truncate(0);
    write_http(late);
    send(late.view());
}

/// The peer breaks the rules of framing: what was asked before is answered, nothing more is read.
void Session::break_off() {
    ++home_.counters().closed_broken;
    ending_ = deaf_ = true;
}

bool Session::has_room() const {
    return in_flight_ < home_.limits().in_flight_per_connection_max &&
           out_.size() < home_.limits().output_bytes_max && !(http_ && write_blocked_);
}

bool Session::may_read() const {
    return !ending_ && has_room();
}

Leg Session::leg_now() const {
    Leg leg = leg_;
    const auto idle = home_.admission().idle_max(home_.limits()) / keepalive_unit;
    leg.keepalive = ending_ ? std::uint16_t{0}
                            : static_cast<std::uint16_t>(std::min<std::int64_t>(idle, UINT16_MAX));
    return leg;
}

/// Frames that a client left behind it are answered though it sends no more.
bool Session::may_serve() const {
    return may_read() || (ending_ && !deaf_ && !in_.empty() && has_room());
}

/// After anything happened: closes what is done, and says what is waited for. `asked`: a query
/// came.
void Session::settle(bool asked) {
    if (closed_) return;
    // All that was in flight may have come in one turn, before anything could be written. The
    // companion reads what it asked for.
    if (client_ != nullptr && write_blocked_ &&
        out_.size() > home_.limits().output_bytes_max * unread_max_factor) {
        ++home_.counters().closed_slow;
        return close(Stream::Close::reset);
    }
    const bool done = (ending_ && in_flight_ == 0) || (http_ && http_->is_over());
    if (done && out_.empty()) return close(Stream::Close::politely);
    watch();
    set_deadline(asked);
    if (client_ != nullptr) home_.admission().hold(*client_, octets(), home_.limits());
}

/// Of memory, with what OpenSSL and nghttp2 take.
std::size_t Session::octets() const {
    return memory_cost::idle + in_.capacity() + out_.capacity() + (http_ ? http_->octets() : 0);
}

void Session::set_deadline(bool asked) {
    if (leaving_) return;  // whatever happens wins it no time
    const auto until = hears_until(asked);
    if (until && *until <= home_.now()) {
        ++home_.counters().closed_slow;
        return close(Stream::Close::plainly);
    }
    if (!out_.empty() || tls_writes_ || is_held()) {
        if (waiting != Waiting::reading || takes_held()) home_.wait_for(*this, Waiting::reading);
    } else if (until && may_read()) {
        if (waiting != Waiting::frame || since < hears_since_)
            home_.wait_for(*this, Waiting::frame);
    } else if (in_flight_ != 0) {
        home_.wait_for(*this, Waiting::nothing);
    } else if (asked || waiting != idling()) {
        // Whoever sends anything else idles all the same.
        home_.wait_for(*this, idling());
    }
}

/// Until when the rest of a frame, or of a request, has to be here; nothing: of none. Counted from
/// its first octet: neither further ones win it time, nor do answers to others. Where we stopped
/// reading it may lie in front of us, and has the time that this can take besides.
std::optional<Clock::time_point> Session::hears_until(bool asked) {
    if (!(http_ ? http_->is_hearing() : !in_.empty())) {
        hears_since_ = {};
        return std::nullopt;
    }
    Clock::time_point begun = hears_since_;
    if (http_)
        begun = http_->hears_since();
    else if (begun == Clock::time_point() || asked)  // behind a whole frame the next one began now
        begun = home_.now();
    if (begun != hears_since_) stopped_reading_ = false;
    hears_since_ = begun;
    stopped_reading_ |= !may_read();
    const Limits& limits = home_.limits();
    const auto stopped = limits.query_max + limits.stalled_max;
    return begun + limits.frame_max + (stopped_reading_ ? stopped : Clock::duration());
}

/// Whether the peer made room for some of what HTTP holds since it was looked at last.
bool Session::takes_held() {
    if (!http_) return false;
    const auto held = static_cast<std::uint32_t>(http_->held());
    return std::exchange(held_, held) > held;
}

void Session::watch() {
    std::uint32_t events = 0;
    // While TLS itself has to write, what comes can't be read and would wake us for ever.
    if (!established_ || may_read()) events |= tls_writes_ ? EPOLLOUT : EPOLLIN;
    if (write_blocked_) events |= EPOLLOUT;
    watch_for(events);
}

void Session::watch_for(std::uint32_t events) {
    if (events == events_) return;
    events_ = events;
    home_.poller().change(stream_.descriptor(), events_, *this);
}

void Session::expire() {
    if (leaving_) {
        if (in_flight_ != 0 || !out_.empty() || is_held()) ++home_.counters().closed_unanswered;
        return close(out_.empty() ? Stream::Close::politely : Stream::Close::reset);
    }
    const bool idle = waiting == idling();
    const bool all_written = idle || (waiting == Waiting::reading && out_.empty() && !is_held());
    const std::uint32_t unheard = all_written ? stream_.unheard() : 0;
    // It may be on a slow way.
    if (unheard != 0 && (idle || unheard < unheard_)) {
        unheard_ = unheard;
        return home_.wait_for(*this, Waiting::reading);
    }
    if (all_written && unheard == 0) {
        ++home_.counters().closed_idle;
        return leave();
    }
    ++home_.counters().closed_slow;
    if (waiting == Waiting::handshake) count_failed_handshake();
    if (turn_ && client_ != nullptr) client_->excuse_handshake();
    close(waiting == Waiting::reading ? Stream::Close::reset : Stream::Close::plainly);
}

void Session::leave() {
    if (closed_ || leaving_) return;
    const Serving::During during(home_.serving(), host());
    if (!established_) return close(Stream::Close::plainly);
    if (may_serve()) serve(false);
    if (closed_) return;
    leaving_ = true;
    home_.wait_for(*this, Waiting::leaving);
    if (http_)
        http_->leave();
    else
        ending_ = true;
    if (!write_blocked_) write_pending();
    settle();
}

/// So that the peer knows what it may ask again elsewhere (RFC 9113 section 6.8).
void Session::say_goodbye() {
    Writer goodbye;
    http_->end();
    while (http_->write(goodbye)) continue;
    if (goodbye.size() != 0) stream_.write(goodbye.view());
}

void Session::close(Stream::Close how) {
    if (closed_) return;
    closed_ = true;
    if (turn_) home_.give_up(turn_);
    if (how == Stream::Close::politely && http_ && out_.empty()) say_goodbye();
    stream_.close(how == Stream::Close::politely && !established_ ? Stream::Close::plainly : how);
    leg_.client = nullptr;
    if (client_ != nullptr) home_.leave(*std::exchange(client_, nullptr));
    home_.bury(*this);
}

}  // namespace porchlight::forwarder
