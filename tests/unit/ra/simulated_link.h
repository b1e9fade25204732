#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "hex.h"
#include "ra/sender.h"

namespace porchlight::ra {

using namespace std::chrono_literals;

inline const Clock::time_point begin = Clock::time_point(1000s);
inline const RouterHeader daemon_header{64, 0xc8, 1800s, 0ms, 0ms};
inline const Buffer option_a = hex("9002 0001 00000708 0005 03646e7300 00");
inline const Buffer option_b = hex("9002 0002 00000708 0005 03646f7400 00");
inline const Ipv6 host = *parse_ipv6("fe80::5");

/// As many resolvers as the largest configuration can tell of.
inline NdOptions many_options() {
    NdOptions many(320, hex("9002 0000 00000708 0005 03646e7300 00"));
    for (std::size_t i = 0; i < many.size(); ++i) {
        many[i][2] = std::uint8_t(i / 256);
        many[i][3] = std::uint8_t(i % 256);
    }
    return many;
}

/// A link in simulated time: what left, and when.
struct SimulatedLink {
    struct Sent {
        Clock::time_point at;
        Ipv6 to;
        Advertisement message;
    };

    explicit SimulatedLink(Sender::Interval interval = {}) : sender(interval, random) {}

    SeededRandom random{7};
    Sender sender;
    Clock::time_point now = begin;
    std::vector<Sent> sent;
    bool broken = false;  // nothing can be sent

    bool send(const Packet& packet) {
        if (broken) return false;
        auto message = parse_advertisement(packet.octets, {*parse_ipv6("fe80::1"), 255});
        REQUIRE(message);
        REQUIRE(packet.octets.size() <= Sender::packet_octets_max);
        sent.push_back({now, packet.destination, *message});
        return true;
    }
    void drain() {
        sender.send_due(now, [this](const Packet& packet) { return send(packet); });
        REQUIRE(sender.wake() > now);
    }
    void run_for(Clock::duration span) {
        const Clock::time_point end = now + span;
        for (drain(); sender.wake() <= end; drain()) now = sender.wake();
        now = end;
    }
    void daemon_speaks(const RouterHeader& header = daemon_header, bool multicast = true) {
        daemon_tells({}, header, multicast);
    }
    void daemon_tells(NdOptions options, const RouterHeader& header = daemon_header,
                      bool multicast = true) {
        sender.on_daemon_advertisement({header, std::move(options)}, multicast, false, now);
    }
    void daemon_answers(const RouterHeader& header = daemon_header) {
        sender.on_daemon_advertisement({header, {}}, false, true, now);
    }
    NdOptions announced() const { return sender.announced(now).options; }
    std::vector<Clock::duration> gaps() const {  // between multicasts
        std::vector<Clock::duration> found;
        std::optional<Clock::time_point> last;
        for (const Sent& one : sent) {
            if (one.to != all_nodes) continue;
            if (last) found.push_back(one.at - *last);
            last = one.at;
        }
        return found;
    }
    std::size_t multicasts() const {
        return std::size_t(std::count_if(sent.begin(), sent.end(),
                                         [](const Sent& one) { return one.to == all_nodes; }));
    }
};

/// What a process announced that heard the daemon 100 s ago.
inline Announced left_by_supplement(NdOptions options) {
    Announced left;
    left.source = *parse_ipv6("fe80::1");
    left.header = {0, 0xc8, 1800s, 0ms, 0ms};
    left.route_until = begin + 1700s;
    left.options = std::move(options);
    return left;
}

}  // namespace porchlight::ra
