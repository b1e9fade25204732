#include "generator.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace porchlight::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t handshakes_at_once = 32;

Common common_of(const Options& options) {
    Common common{.udp = options.protocol == "udp",
                  .epoll = ::epoll_create1(0),
                  .tls = client_context(),
                  .questions = Questions(options.prefix, options.names),
                  .tally = {}};
    common.server.sin_family = AF_INET;
    common.server.sin_port = htons(options.port);
    common.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return common;
}

}  // namespace

Generator::Generator(const Options& options) : common_(common_of(options)) {
    for (std::uint32_t place = 0; place < options.connections; ++place)
        connections_.emplace_back(common_, place, std::max(options.depth, 1u));
}

Generator::~Generator() {
    connections_.clear();
    SSL_CTX_free(common_.tls);
    ::close(common_.epoll);
}

void Generator::turn(Clock::time_point until, const std::function<void(Connection&)>& step) {
    static std::array<epoll_event, 512> events;
    const auto wait = std::chrono::nanoseconds(std::max(until - Clock::now(), Clock::duration(0)));
    const timespec at_most{static_cast<time_t>(wait / 1s), static_cast<long>((wait % 1s).count())};
    const int count =
        ::epoll_pwait2(common_.epoll, events.data(), events.size(), &at_most, nullptr);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        Connection& connection = connections_[event.data.u32];
        if (!connection.is_open()) continue;
        connection.on_events(event.events);
        if (!connection.is_open() || connection.established()) step(connection);
        connection.flush();
    }
}

void Generator::open_all(bool ask_one) {
    std::size_t opening = 0;
    const auto settle = [&](Connection& connection) {
        if (connection.settled) return;
        if (connection.is_open() && ask_one && !connection.asked) {
            connection.asked = true;
            return connection.ask();
        }
        if (connection.is_open() && connection.waiting()) return;
        connection.settled = true;
        --opening;
    };
    const auto end = Clock::now() + 60s;
    for (std::size_t next = 0; (next < connections_.size() || opening) && Clock::now() < end;) {
        for (; next < connections_.size() && opening < handshakes_at_once; ++next) {
            if (!connections_[next].open()) {
                ++common_.tally.lost;
                continue;
            }
            ++opening;
            if (common_.udp) settle(connections_[next]);
        }
        if (opening) turn(Clock::now() + 100ms, settle);
    }
}

void Generator::flood(Clock::time_point end, std::uint32_t depth, std::uint64_t questions,
                      std::chrono::seconds patience) {
    Tally& tally = common_.tally;
    const std::uint64_t sent_max =
        questions > std::numeric_limits<std::uint64_t>::max() - tally.sent ? questions
                                                                           : tally.sent + questions;
    const std::uint64_t before = tally.answers + tally.wrong;
    const auto fill = [&](Connection& connection) {
        if (!connection.is_open()) return;
        while (connection.waiting() < depth && tally.sent < sent_max) connection.ask();
    };
    for (Connection& connection : connections_) {
        fill(connection);
        connection.flush();
    }
    std::uint64_t seen = before;
    auto moved = Clock::now();
    for (auto now = moved; now < end && seen - before < questions && now - moved < patience;
         now = Clock::now()) {
        turn(std::min(end, now + 200ms), fill);
        if (tally.answers + tally.wrong == seen) continue;
        seen = tally.answers + tally.wrong;
        moved = now;
    }
}

void Generator::drain(std::chrono::milliseconds at_most) {
    const auto waits = [](const Connection& connection) { return connection.waiting() > 0; };
    for (const auto end = Clock::now() + at_most;
         std::any_of(connections_.begin(), connections_.end(), waits) && Clock::now() < end;)
        turn(Clock::now() + 20ms, [](Connection&) {});
    for (Connection& connection : connections_) connection.give_up();
}

}  // namespace porchlight::bench
