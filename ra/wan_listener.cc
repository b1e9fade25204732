#include "ra/wan_listener.h"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/log.h"
#include "net/link.h"
#include "ra/link_sockets.h"
#include "ra/solicitations.h"

namespace porchlight::ra {
namespace {

using Descriptor = asio::posix::stream_descriptor;

/// The socket, and Asio's eye on it. Shared by those who wait for it, since it may be replaced
/// while they do.
struct Ear {
    Ear(asio::any_io_executor executor, FileDescriptor opened)
        : socket(std::move(opened)), readable(executor, socket.get()) {}
    // Only we close it.
    ~Ear() { close(); }
    void close() {
        if (readable.is_open()) readable.release();
        socket.reset();
    }
    FileDescriptor socket;
    Descriptor readable;
};

/// Whether routers can be asked: the link carries, and has an address of its own to ask from.
bool can_ask(const net::Link& link) {
    return link.up && link.carrier &&
           std::any_of(link.addresses.begin(), link.addresses.end(),
                       [](const net::LinkAddress& one) {
                           const auto* v6 = std::get_if<Ipv6>(&one.address);
                           return v6 != nullptr && is_link_local(*v6) && !one.tentative;
                       });
}

}  // namespace

struct WanListener::State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor loop, std::string name, const TimeSource& source_of_time,
          Random& source_of_random, OnNews call)
        : executor(std::move(loop)),
          interface(std::move(name)),
          timer(executor),
          time(source_of_time),
          random(source_of_random),
          on_news(std::move(call)) {}

    static awaitable<void> listen(std::shared_ptr<State> state, std::shared_ptr<Ear> ear);
    bool take(const FileDescriptor& socket);
    void complain(const HeardOffers::Verdict& verdict, const Ipv6& from, Clock::time_point now);
    void pump();
    void arm();
    void close();

    asio::any_io_executor executor;
    std::string interface;
    asio::steady_timer timer;
    const TimeSource& time;
    Random& random;
    OnNews on_news;
    bool open = true;

    std::shared_ptr<Ear> ear;
    HeardOffers heard;
    Clock::time_point next_end = HeardOffers::never;  // of what was heard, as the timer knows it
    Solicitations solicitations;
    unsigned asks_on = 0;  // the index of the link while routers can be asked; 0: they can't
    std::uint64_t asked = 0;
    log::Limiter complaint_lines{complaints_every};
    std::array<std::uint8_t, receive_octets_max> buffer;
};

WanListener::WanListener(asio::any_io_executor executor, std::string interface,
                         const TimeSource& time, Random& random, OnNews on_news)
    : state_(std::make_shared<State>(std::move(executor), std::move(interface), time, random,
                                     std::move(on_news))) {}

void WanListener::use(FileDescriptor socket) {
    if (state_->ear) state_->ear->close();
    state_->ear = std::make_shared<Ear>(state_->executor, std::move(socket));
    asio::co_spawn(state_->executor, State::listen(state_, state_->ear), asio::detached);
    state_->arm();
}

bool WanListener::hears() const {
    return state_->ear != nullptr && bound_interface(state_->ear->socket) != 0;
}

void WanListener::set_forms(const dns::Forms& forms) {
    state_->heard.set_forms(forms);
}

void WanListener::set_link(const net::Link* link) {
    const unsigned asks_on = link != nullptr && can_ask(*link) ? link->index : 0;
    if (asks_on == state_->asks_on) return;
    state_->asks_on = asks_on;
    const Clock::time_point now = state_->time.now();
    if (asks_on == 0) {
        state_->solicitations.end();
    } else {
        state_->solicitations.begin(now, state_->random);
        state_->heard.doubt_endless(now + answers_within);
    }
    state_->arm();
}

void WanListener::forget() {
    state_->heard.forget();
    if (state_->asks_on != 0) state_->solicitations.begin(state_->time.now(), state_->random);
    state_->arm();
    state_->on_news();
}

const HeardOffers& WanListener::heard() const {
    return state_->heard;
}

std::uint64_t WanListener::solicitations() const {
    return state_->asked;
}

void WanListener::close() {
    if (state_) state_->close();
}

void WanListener::State::close() {
    open = false;
    if (ear) ear->close();
    timer.cancel();
}

awaitable<void> WanListener::State::listen(std::shared_ptr<State> state, std::shared_ptr<Ear> ear) {
    try {
        while (ear->socket) {
            co_await ear->readable.async_wait(Descriptor::wait_read, asio::use_awaitable);
            bool any = false;
            for (int i = 0; i < messages_per_turn_max && state->open && ear->socket; ++i) {
                if (!state->take(ear->socket)) break;
                any = true;
            }
            if (!any || !state->open) continue;
            state->arm();
            state->on_news();
        }
    } catch (const system_error& end) {
        if (end.code() != asio::error::operation_aborted)
            log::error("no longer hearing Router Advertisements",
                       {{"interface", state->interface}, {"error", end.what()}});
    }
}

bool WanListener::State::take(const FileDescriptor& socket) {
    const auto received = receive_icmpv6(socket, buffer);
    if (!received) return false;
    const Clock::time_point now = time.now();
    const HeardOffers::Verdict verdict =
        heard.on_message(received->octets, received->envelope, now);
    if (verdict.is_router) solicitations.end();
    complain(verdict, received->envelope.source, now);
    return true;
}

void WanListener::State::complain(const HeardOffers::Verdict& verdict, const Ipv6& from,
                                  Clock::time_point now) {
    if (verdict.complaints.empty() || !complaint_lines.admit(now)) return;
    log::warn("a Router Advertisement of the WAN does not count, or not as a whole",
              {{"interface", interface}, {"from", to_text(from)}, {"why", verdict.complaints[0]}});
}

/// Does what is due, and sleeps until the next is.
void WanListener::State::pump() {
    const Clock::time_point now = time.now();
    if (now >= solicitations.at() && ear && bound_interface(ear->socket) == asks_on) {
        const auto sent = solicit_others(ear->socket);
        solicitations.on_sent(now);
        if (sent)
            ++asked;
        else
            log::debug("cannot solicit routers",
                       {{"interface", interface}, {"error", sent.error().message}});
    }
    const bool ended = now >= next_end;
    arm();
    if (ended) on_news();
}

void WanListener::State::arm() {
    if (!open) return;
    const Clock::time_point now = time.now();
    next_end = heard.next_end(now);
    // Without a socket for the link nothing can be asked: its coming arms anew.
    const bool can_solicit = ear && asks_on != 0 && bound_interface(ear->socket) == asks_on;
    const auto at = std::min(next_end, can_solicit ? solicitations.at() : Solicitations::never);
    if (at == HeardOffers::never) {
        timer.cancel();
        return;
    }
    timer.expires_after(std::max<Clock::duration>(at - now, Clock::duration::zero()));
    timer.async_wait([waiting = weak_from_this()](error_code ec) {
        const auto state = waiting.lock();
        if (!ec && state && state->open) state->pump();
    });
}

}  // namespace porchlight::ra
