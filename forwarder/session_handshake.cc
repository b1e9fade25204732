// A session until it is established: a handshake that costs waits for its turn, and counts.

#include <sys/epoll.h>

#include "forwarder/session.h"
#include "forwarder/sessions.h"

namespace porchlight::forwarder {

/// Who leaves before his turn costs nothing more. That he ends his half shows among other octets
/// only when nothing else is watched for; and whoever does so can't complete a handshake.
void Session::on_events_waiting(std::uint32_t events) {
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return watch_for(EPOLLRDHUP);
    count_failed_handshake();
    close(Stream::Close::plainly);
}

/// Octet by octet a handshake costs far more than its client.
bool Session::reads_too_often() {
    if (++reads_in_vain_ <= reads_in_vain_max) return false;
    ++home_.counters().closed_broken;
    count_failed_handshake();
    block();
    close(Stream::Close::plainly);
    return true;
}

/// What costs waits for its turn.
void Session::shake_hands() {
    const bool waits = client_ != nullptr && client_->turns() != nullptr && stream_.costs_more();
    if (waits)
        turn_ = home_.wait_for_turn(*this, *client_);
    else
        compute_handshake();
}

void Session::take_turn() {
    const Serving::During during(home_.serving(), host());
    turn_ = {};
    compute_handshake();
    if (established_ && !closed_ && stream_.has_pending()) on_events(EPOLLIN);
}

void Session::compute_handshake() {
    const Stream::Outcome outcome = stream_.handshake();
    switch (outcome.state) {
        case Stream::State::hello:
            if (client_ != nullptr &&
                !client_->admit_handshake(stream_.shows_ticket(), home_.limits(), home_.now()))
                return close(Stream::Close::plainly);
            return shake_hands();
        case Stream::State::done:
            established_ = true;
            tls_writes_ = false;
            reads_in_vain_ = 0;
            if (client_ != nullptr) home_.established(*client_, stream_.was_resumed());
            count_handshake();
            identify();
            if (leg_.http) begin_http();
            return settle();
        case Stream::State::wait_readable:
        case Stream::State::wait_writable:
            tls_writes_ = outcome.state == Stream::State::wait_writable;
            return watch();
        case Stream::State::ended:
        case Stream::State::failed:
            count_failed_handshake();
            return close(Stream::Close::plainly);
    }
}

void Session::identify() {
    if (established_ && stream_.is_encrypted()) leg_.view = home_.view_by(stream_.server_name());
}

void Session::count_handshake() {
    Counters& counters = home_.counters();
    ++(leg_.http ? counters.doh_handshakes : counters.dot_handshakes);
    if (stream_.was_resumed())
        ++(leg_.http ? counters.doh_handshakes_resumed : counters.dot_handshakes_resumed);
}

void Session::count_failed_handshake() {
    Counters& counters = home_.counters();
    ++(leg_.http ? counters.doh_handshakes_failed : counters.dot_handshakes_failed);
}

}  // namespace porchlight::forwarder
