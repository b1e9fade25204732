#include "agent/guard.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <optional>

#include "agent/guard_socket.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

using Descriptor = asio::posix::stream_descriptor;

/// So many lines at once, then one in each interval.
class LineBudget {
  public:
    bool admit(Clock::time_point now) {
        if (now >= full_at_) full_at_ = now;
        const auto after = full_at_ + Guard::line_again_after;
        if (after - now > Guard::line_again_after * Guard::lines_max) return false;
        full_at_ = after;
        return true;
    }

  private:
    Clock::time_point full_at_{};  // when as many as ever may be written
};

/// A port's socket, and Asio's eye on it.
struct Listened {
    Listened(asio::any_io_executor loop, GuardPort where, FileDescriptor opened)
        : port(std::move(where)),
          socket(std::move(opened)),
          readable(loop, socket.get()),
          pause(loop) {}
    ~Listened() { close(); }
    // Only we close it.
    void close() {
        if (readable.is_open()) readable.release();
        socket.reset();
        pause.cancel();
    }
    GuardPort port;
    FileDescriptor socket;
    Descriptor readable;
    asio::steady_timer pause;
    LineBudget lines;
};

}  // namespace

struct Guard::State {
    State(asio::any_io_executor executor, const TimeSource& source_of_time)
        : loop(std::move(executor)), time(source_of_time), buffer(guard_frame_octets_max) {}

    static awaitable<void> watch(std::shared_ptr<State> state, std::shared_ptr<Listened> listened);
    bool take(Listened& listened);
    void look_at(Bytes frame, Listened& listened);

    asio::any_io_executor loop;
    const TimeSource& time;
    std::optional<GuardFacts> facts;
    // Each shared with its coroutine, which ends a moment after it was closed.
    std::vector<std::shared_ptr<Listened>> ports;
    Rogues rogues;
    GuardStatus::Counters counters;
    Buffer buffer;  // of the loop's one thread
};

Guard::Guard(asio::any_io_executor loop, const TimeSource& time)
    : state_(std::make_shared<State>(std::move(loop), time)) {}

Guard::~Guard() {
    for (const auto& listened : state_->ports) listened->close();
}

void Guard::listen(const std::vector<GuardHandover::Port>& ports,
                   std::vector<FileDescriptor> sockets) {
    std::vector<std::shared_ptr<Listened>> kept;
    auto socket = sockets.begin();
    for (const auto& [port, is_new] : ports) {
        const auto old = std::find_if(state_->ports.begin(), state_->ports.end(),
                                      [&](const auto& one) { return one && one->port == port; });
        if (is_new && socket != sockets.end()) {
            kept.push_back(std::make_shared<Listened>(state_->loop, port, std::move(*socket++)));
            asio::co_spawn(state_->loop, State::watch(state_, kept.back()), asio::detached);
        } else if (!is_new && old != state_->ports.end()) {
            kept.push_back(std::move(*old));
        }
    }
    for (const auto& gone : state_->ports)
        if (gone) gone->close();
    state_->ports = std::move(kept);
}

void Guard::set_facts(GuardFacts facts) {
    state_->rogues.judge_again(facts);
    state_->facts = std::move(facts);
}

GuardStatus Guard::status() const {
    GuardStatus status;
    for (const auto& listened : state_->ports) status.ports.push_back(listened->port);
    status.rogues = state_->rogues.standing(state_->time.now());
    status.counters = state_->counters;
    return status;
}

bool Guard::listens_on(const std::string& link) const {
    return std::any_of(state_->ports.begin(), state_->ports.end(),
                       [&](const auto& listened) { return listened->port.link == link; });
}

awaitable<void> Guard::State::watch(std::shared_ptr<State> state,
                                    std::shared_ptr<Listened> listened) {
    try {
        while (listened->socket) {
            co_await listened->readable.async_wait(Descriptor::wait_read, asio::use_awaitable);
            for (int i = 0; i < frames_per_turn_max && listened->socket; ++i)
                if (!state->take(*listened)) break;
            // A port that is flooded shall leave time for everything else.
            listened->pause.expires_after(pause_between_turns);
            co_await listened->pause.async_wait(asio::use_awaitable);
        }
    } catch (const system_error& end) {
        if (end.code() == asio::error::operation_aborted) co_return;
        log::error("no longer listening for rogue servers",
                   {{"port", listened->port.port}, {"error", end.what()}});
        // Who is asked where is listened shall not name it.
        std::erase(state->ports, listened);
    }
}

/// False: nothing is there any more. That an interface went down is an error that is read once.
bool Guard::State::take(Listened& listened) {
    const ssize_t got = ::recv(listened.socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) return false;
    ++counters.frames;
    look_at(Bytes(buffer).first(static_cast<std::size_t>(got)), listened);
    return true;
}

void Guard::State::look_at(Bytes octets, Listened& listened) {
    if (!facts) return;
    const auto frame = net::parse_frame(octets);
    if (!frame) {
        ++counters.malformed;
        return;
    }
    const auto message = server_message(*frame);
    if (!message) return;
    auto rogue = judge(*frame, *message, listened.port, *facts);
    if (!rogue) return;
    ++counters.messages[rogue->kind];
    if (!rogue->resolvers.empty()) ++counters.naming[rogue->kind];
    const Clock::time_point now = time.now();
    Rogue* const news = rogues.note(std::move(*rogue), now);
    if (news == nullptr) return;
    if (!listened.lines.admit(now)) {
        ++counters.untold;
        return;
    }
    news->told = true;
    std::string names;
    for (const StrangeResolver& one : news->resolvers)
        names += (names.empty() ? "" : "; ") + one.name;
    log::write(news->threat == Threat::beside ? log::Level::info : log::Level::warn,
               news->threat == Threat::resolver ? "a rogue tells hosts of another resolver"
               : news->threat == Threat::server ? "a rogue router or DHCP server"
                                                : "a router beside this one",
               {{"link", news->link},
                {"port", news->port},
                {"mac", net::to_text(news->mac)},
                {"by", kind_name(news->kind)},
                {"address", to_text(news->address)},
                {"server", news->server},
                {"resolvers", names},
                {"as_this_router", news->as_this_router ? "yes" : "no"}});
}

}  // namespace porchlight::agent
