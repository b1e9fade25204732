#include "forwarder/session.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "forwarder/sessions.h"

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t length_octets = 2;         // in front of each message, RFC 1035 4.2.2
constexpr std::size_t write_octets = 16384;      // one TLS record
constexpr std::uint8_t reads_in_vain_max = 50;   // for one query
constexpr std::chrono::seconds blocked_for{60};  // a client that needs more
constexpr std::chrono::milliseconds keepalive_unit{100};
constexpr std::size_t unread_max_factor = 4;  // of output_bytes_max, with what was in flight

static_assert(sizeof(Session) <= 512, "thousands of connections idle");

/// Writes what `body` appends as one message of a stream; a message of nothing leaves no trace.
template <class Body>
void framed(Writer& out, Body body) {
    const std::size_t start = out.size();
    out.u16(0);
    body();
    const std::size_t length = out.size() - start - length_octets;
    if (length == 0) return out.truncate(start);
    out.patch_u16(start, length);
}

}  // namespace

Session::Session(Sessions& home, Ref ref, Stream stream, Client* client, Leg leg)
    : home_(home), ref_(ref), stream_(std::move(stream)), client_(client), leg_(leg) {
    established_ = !stream_.is_encrypted();
    events_ = EPOLLIN;
    home_.poller().watch(stream_.descriptor(), events_, *this);
    home_.wait_for(*this, established_ ? Waiting::idle : Waiting::handshake);
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
    if (!established_) {
        shake_hands();
        if (!established_ || closed_ || !stream_.has_pending()) return;
    }
    if (!out_.empty()) write_pending();
    if (closed_) return;
    // Where nothing is read an error would come again and again.
    if (!may_read() && (events & (EPOLLERR | EPOLLHUP)) != 0) return close(Stream::Close::plainly);
    if (!may_serve()) return settle();
    serve((events & EPOLLIN) != 0);
}

void Session::shake_hands() {
    const Stream::Outcome outcome = stream_.handshake();
    switch (outcome.state) {
        case Stream::State::done:
            established_ = true;
            tls_writes_ = false;
            ++home_.counters().dot_handshakes;
            if (stream_.was_resumed()) ++home_.counters().dot_handshakes_resumed;
            return settle();
        case Stream::State::wait_readable:
        case Stream::State::wait_writable:
            tls_writes_ = outcome.state == Stream::State::wait_writable;
            return watch();
        case Stream::State::ended:
        case Stream::State::failed:
            ++home_.counters().dot_handshakes_failed;
            return close(Stream::Close::plainly);
    }
}

/// Reads what has come and answers all of it that can be answered now. `woken`: the peer sent
/// something.
void Session::serve(bool woken) {
    Writer& out = home_.output();
    out.truncate(0);
    bool moved = false, asked = false;
    do {
        const std::span<std::uint8_t> input = home_.input();
        std::size_t have = in_.size();
        if (have != 0) std::memcpy(input.data(), in_.data(), have);
        const std::size_t got = fill(input.subspan(have));
        have += got;
        const std::size_t used = answer_frames(input.first(have), out);
        note_progress(used, got != 0 || std::exchange(woken, false));
        moved = got != 0 || used != 0;
        asked |= used != 0;
        if (used != have)
            in_.assign(input.begin() + static_cast<std::ptrdiff_t>(used),
                       input.begin() + static_cast<std::ptrdiff_t>(have));
        else if (!in_.empty())
            in_ = Buffer();
        // What is pending may be the front of a record, of which the rest has yet to come.
    } while (moved && !closed_ && may_read() && stream_.has_pending());
    if (closed_) return;
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
std::size_t Session::answer_frames(Bytes input, Writer& out) {
    std::size_t at = 0;
    while (!closed_ && !deaf_ && input.size() - at >= length_octets) {
        const std::size_t length = static_cast<std::size_t>(input[at] << 8 | input[at + 1]);
        if (length < dns::header_octets || length > Sessions::frame_octets_max) {
            break_off();
            break;
        }
        if (input.size() - at < length_octets + length || !has_room()) break;
        answer(input.subspan(at + length_octets, length), out);
        at += length_octets + length;
        if (out.size() >= write_octets) {
            send(out.view());
            out.truncate(0);
        }
    }
    return deaf_ ? input.size() : at;
}

/// A client that needs very many reads for one query means no good; nor does one whose reads hold
/// pieces of TLS and no octet of a query.
void Session::note_progress(std::size_t used, bool sent) {
    if (used != 0) {
        reads_in_vain_ = 0;
    } else if (sent && !ending_ && has_room() && ++reads_in_vain_ > reads_in_vain_max) {
        if (client_ != nullptr) home_.admission().block(*client_, home_.now() + blocked_for);
        break_off();
    }
}

void Session::answer(Bytes message, Writer& out) {
    if (leg_.encrypted) {
        ++home_.counters().dot_queries;
        if (client_ != nullptr && client_->is_host()) home_.note_dot_query();
    } else {
        ++home_.counters().do53_queries;
        ++home_.counters().do53_tcp_queries;
    }
    if (client_ != nullptr && !client_->admit_query(home_.limits(), home_.now())) {
        ending_ = deaf_ = true;
        framed(out, [&] { home_.responder().refuse(message, leg_now(), out); });
        return;
    }
    auto given = Responder::Given::nothing;
    framed(out, [&] { given = home_.responder().answer(message, leg_now(), home_.now(), out); });
    if (given == Responder::Given::not_known) look_up();
}

void Session::look_up() {
    ++in_flight_;
    Sessions& home = home_;
    home.responder().find(leg_, [&home, ref = ref_](const KeptQuery& asked, const Found& found) {
        if (Session* session = home.find(ref)) session->deliver(asked, found);
    });
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

void Session::after_answers() {
    if (closed_) return;
    const Serving::During during(home_.serving(), host());
    if (!write_blocked_) write_pending();
    if (closed_) return;
    // What had to wait, here or inside TLS, gives no sign of its own.
    if (has_room() && (!in_.empty() || (events_ & EPOLLIN) == 0)) return serve(false);
    settle();
}

void Session::send(Bytes octets) {
    if (!out_.empty()) {
        out_.insert(out_.end(), octets.begin(), octets.end());
        if (!write_blocked_) write_pending();
        return;
    }
    while (!octets.empty()) {
        const Stream::Outcome outcome = stream_.write(octets);
        if (outcome.state == Stream::State::done) {
            octets = octets.subspan(outcome.count);
            continue;
        }
        if (outcome.state == Stream::State::ended || outcome.state == Stream::State::failed)
            return close(Stream::Close::plainly);
        write_blocked_ = true;
        out_.assign(octets.begin(), octets.end());
        return;
    }
}

void Session::write_pending() {
    write_blocked_ = false;
    const Buffer pending = std::exchange(out_, Buffer());
    send(pending);
    const bool some_left = !out_.empty() && out_.size() < pending.size();
    if (some_left) home_.wait_for(*this, Waiting::reading);  // slow, but it reads
}

/// The peer breaks the rules of framing: what was asked before is answered, nothing more is read.
void Session::break_off() {
    ++home_.counters().closed_broken;
    ending_ = deaf_ = true;
}

bool Session::has_room() const {
    return in_flight_ < home_.limits().in_flight_per_connection_max &&
           out_.size() < home_.limits().output_bytes_max;
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
    if (ending_ && out_.empty() && in_flight_ == 0) return close(Stream::Close::politely);
    watch();
    set_deadline(asked);
}

void Session::set_deadline(bool asked) {
    if (!out_.empty() || tls_writes_) {
        if (waiting != Waiting::reading) home_.wait_for(*this, Waiting::reading);
    } else if (in_flight_ != 0) {
        home_.wait_for(*this, Waiting::nothing);
    } else if (!in_.empty()) {
        // From the frame's first octet: further ones win no time.
        if (waiting != Waiting::frame || reads_in_vain_ == 0) home_.wait_for(*this, Waiting::frame);
    } else if (asked || waiting != Waiting::idle) {
        // Whoever sends anything else idles all the same.
        home_.wait_for(*this, Waiting::idle);
    }
}

void Session::watch() {
    std::uint32_t events = 0;
    // While TLS itself has to write, what comes can't be read and would wake us for ever.
    if (!established_ || may_read()) events |= tls_writes_ ? EPOLLOUT : EPOLLIN;
    if (write_blocked_) events |= EPOLLOUT;
    if (events == events_) return;
    events_ = events;
    home_.poller().change(stream_.descriptor(), events_, *this);
}

void Session::expire() {
    const bool all_written =
        waiting == Waiting::idle || (waiting == Waiting::reading && out_.empty());
    const std::uint32_t unheard = all_written ? stream_.unheard() : 0;
    // It may be on a slow way.
    if (unheard != 0 && (waiting == Waiting::idle || unheard < unheard_)) {
        unheard_ = unheard;
        return home_.wait_for(*this, Waiting::reading);
    }
    if (all_written && unheard == 0) {
        ++home_.counters().closed_idle;
        return close(Stream::Close::politely);
    }
    ++home_.counters().closed_slow;
    if (waiting == Waiting::handshake) ++home_.counters().dot_handshakes_failed;
    close(waiting == Waiting::reading ? Stream::Close::reset : Stream::Close::plainly);
}

void Session::close(Stream::Close how) {
    if (closed_) return;
    closed_ = true;
    stream_.close(how == Stream::Close::politely && !established_ ? Stream::Close::plainly : how);
    if (client_ != nullptr) home_.admission().leave(*client_);
    home_.bury(*this);
}

}  // namespace porchlight::forwarder
