#include "ra/sender.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "hex.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Clock::time_point begin = Clock::time_point(1000s);
const RouterHeader daemon_header{64, 0xc8, 1800s, 0ms, 0ms};
const Buffer option_a = hex("9002 0001 00000708 0005 03646e7300 00");
const Buffer option_b = hex("9002 0002 00000708 0005 03646f7400 00");
const Ipv6 host = *parse_ipv6("fe80::5");

/// A link in simulated time: what left, and when.
struct Simulation {
    struct Sent {
        Clock::time_point at;
        Ipv6 to;
        Advertisement message;
    };

    SeededRandom random{7};
    Sender sender{{}, random};
    Clock::time_point now = begin;
    std::vector<Sent> sent;

    void drain() {
        while (auto packet = sender.next(now)) {
            auto message = parse_advertisement(packet->octets, {*parse_ipv6("fe80::1"), 255});
            REQUIRE(message);
            REQUIRE(packet->octets.size() <= Sender::packet_octets_max);
            sent.push_back({now, packet->destination, *message});
        }
        REQUIRE(sender.wake() > now);
    }
    void run_for(Clock::duration span) {
        const Clock::time_point end = now + span;
        for (drain(); sender.wake() <= end; drain()) now = sender.wake();
        now = end;
    }
    void daemon_speaks(const RouterHeader& header = daemon_header, bool multicast = true) {
        sender.on_daemon_advertisement(header, multicast, now);
    }
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

TEST_SUITE("ra/sender") {
    TEST_CASE("nothing leaves before a header is known") {
        Simulation link;
        link.sender.set_options({option_a}, link.now);
        link.sender.on_solicitation(host, link.now);
        link.run_for(2h);
        CHECK(link.sent.empty());
        link.daemon_speaks(daemon_header, false);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].message.options == NdOptions{option_a});
    }

    TEST_CASE("every advertisement carries the daemon's flags and lifetime and nothing else") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        for (int i = 0; i < 60; ++i) {
            link.run_for(300s);
            link.daemon_speaks();
            link.sender.on_solicitation(host, link.now);
        }
        REQUIRE(link.sent.size() > 60);
        for (const auto& one : link.sent)
            CHECK(one.message.header == RouterHeader{0, 0xc8, 1800s, 0ms, 0ms});
    }

    TEST_CASE("a changed header is in the next advertisement") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.daemon_speaks({64, 0, 600s, 0ms, 0ms});
        link.sender.on_solicitation(host, link.now);
        link.run_for(1s);
        CHECK(link.sent.back().message.header == RouterHeader{0, 0, 600s, 0ms, 0ms});
    }

    TEST_CASE("the first three are close together, then the pace is random within its bounds") {
        Simulation link;
        link.daemon_speaks(daemon_header, false);
        link.sender.set_options({option_a}, link.now);
        for (int i = 0; i < 24 * 60; ++i) {
            link.run_for(60s);
            link.daemon_speaks(daemon_header, i % 10 == 0);
        }
        const auto gaps = link.gaps();
        REQUIRE(gaps.size() > 24 * 6);
        CHECK(link.sent.front().at == begin);
        CHECK(gaps[0] <= 16s);
        CHECK(gaps[1] <= 16s);
        Clock::duration least = 1h;
        Clock::duration most = 0s;
        for (std::size_t i = 2; i < gaps.size(); ++i) {
            least = std::min(least, gaps[i]);
            most = std::max(most, gaps[i]);
        }
        CHECK(least >= 200s);
        CHECK(least < 220s);
        CHECK(most <= 600s);
        CHECK(most > 580s);
    }

    TEST_CASE("a solicitor gets a unicast answer within half a second") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        bool at_different_times = false;
        std::optional<Clock::duration> first;
        for (int i = 0; i < 20; ++i) {
            const auto asked = link.now;
            const std::size_t before = link.sent.size();
            link.sender.on_solicitation(host, link.now);
            link.sender.on_solicitation(host, link.now);
            link.run_for(1s);
            REQUIRE(link.sent.size() == before + 1);
            CHECK(link.sent.back().to == host);
            const auto delay = link.sent.back().at - asked;
            CHECK(delay <= 500ms);
            if (!first) first = delay;
            at_different_times |= delay != *first;
        }
        CHECK(at_different_times);
    }

    TEST_CASE("multicast answers are 3 s apart, whatever asks") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        for (int i = 0; i < 6000; ++i) {  // a flood of solicitations without a source
            link.sender.on_solicitation(Ipv6{}, link.now);
            link.run_for(10ms);
        }
        CHECK(link.multicasts() >= 15);
        CHECK(link.multicasts() == link.sent.size());
        for (const auto gap : link.gaps()) CHECK(gap >= 3s);
    }

    TEST_CASE("many solicitors at once get one multicast") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        const std::size_t before = link.sent.size();
        for (std::uint8_t i = 0; i <= Sender::answers_waiting_max; ++i) {
            Ipv6 one = host;
            one.octets[15] = i;
            link.sender.on_solicitation(one, link.now);
        }
        link.run_for(1s);
        REQUIRE(link.sent.size() == before + 1);
        CHECK(link.sent.back().to == all_nodes);
    }

    TEST_CASE("a multicast keeps 3 s from the daemon's, but a chatty daemon can't silence us") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(10s);
        REQUIRE(!link.sent.empty());
        CHECK(link.sent.front().at == begin + 3s);
        link.sender.set_options({option_b}, link.now);
        const auto changed = link.now;
        const std::size_t before = link.sent.size();
        for (int i = 0; i < 100; ++i) {
            link.daemon_speaks();
            link.run_for(100ms);
        }
        REQUIRE(link.sent.size() > before);
        CHECK(link.sent[before].at - changed <= 6s);
    }

    TEST_CASE("a change announces the new first and takes the old back octet for octet, thrice") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        link.sender.set_options({option_b}, link.now);
        CHECK(link.sender.announced() == NdOptions{option_b, withdrawn(option_a)});
        link.run_for(300s);
        REQUIRE(link.sent.size() >= 3);
        for (std::size_t i = 0; i < link.sent.size(); ++i) {
            CAPTURE(i);
            const NdOptions both{option_b, hex("9002 0001 00000000 0005 03646e7300 00")};
            CHECK(link.sent[i].message.options == (i < 3 ? both : NdOptions{option_b}));
        }
        CHECK(link.sent[2].at - link.sent[0].at <= 2 * 16s);
        CHECK(link.sender.announced() == NdOptions{option_b});
    }

    TEST_CASE("a withdrawal ends in silence, without a word on the route") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a, option_b}, link.now);
        link.run_for(100s);
        link.sent.clear();
        link.sender.withdraw(link.now);
        CHECK(!link.sender.silent());
        link.run_for(20s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) {
            CHECK(one.message.options == NdOptions{withdrawn(option_a), withdrawn(option_b)});
            CHECK(one.message.header.router_lifetime == 1800s);
        }
        for (const auto gap : link.gaps()) CHECK(gap == 3s);
        CHECK(link.sender.silent());
        CHECK(link.sender.wake() == Sender::never);
        link.sender.on_solicitation(host, link.now);
        link.run_for(2h);
        CHECK(link.sent.size() == 3);
    }

    TEST_CASE("at the end of the process a withdrawal takes a second") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(3s);
        link.sent.clear();
        link.daemon_speaks();
        link.sender.finish(link.now);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 3);
        CHECK(link.sender.silent());
        for (const auto& one : link.sent)
            CHECK(one.message.options == NdOptions{withdrawn(option_a)});
    }

    TEST_CASE("finishing cuts a slow withdrawal short and is no news when there is nothing") {
        Simulation link;
        link.sender.finish(link.now);
        CHECK(link.sender.silent());
        link.daemon_speaks();
        link.run_for(10s);
        CHECK(link.sent.empty());
    }

    TEST_CASE("what never left needs no withdrawal") {
        Simulation link;
        link.sender.set_options({option_a}, link.now);
        CHECK(link.sender.announced().empty());
        link.sender.set_options({option_b}, link.now);
        link.daemon_speaks(daemon_header, false);
        CHECK(link.sender.announced() == NdOptions{option_b});
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].message.options == NdOptions{option_b});
    }

    TEST_CASE("an option that comes back is no longer withdrawn") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sender.withdraw(link.now);
        link.run_for(1s);
        link.sent.clear();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        REQUIRE(link.sent.size() >= 3);
        for (const auto& one : link.sent) CHECK(one.message.options == NdOptions{option_a});
    }

    TEST_CASE("a Lifetime that counts down is no change, one of 0 is a withdrawal") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        Buffer shorter = option_a;
        shorter[7] = 1;
        link.sender.set_options({shorter}, link.now);
        link.run_for(10s);
        CHECK(link.sent.empty());
        link.run_for(600s);
        REQUIRE(!link.sent.empty());
        CHECK(link.sent[0].message.options == NdOptions{shorter});
        link.sent.clear();
        link.sender.set_options({withdrawn(option_a)}, link.now);
        link.run_for(100s);
        CHECK(link.sent.size() == 3);
        CHECK(link.sender.silent());
    }

    TEST_CASE("what a former process announced is taken back where it is no longer wanted") {
        Simulation link;
        link.sender.adopt({option_a, option_b});
        CHECK(!link.sender.silent());
        link.daemon_speaks(daemon_header, false);
        link.run_for(60s);
        CHECK(link.sent.empty());  // not known yet whether it still holds
        CHECK(link.sender.announced() == NdOptions{option_a, option_b});
        link.sender.set_options({option_b}, link.now);
        link.run_for(100s);
        REQUIRE(link.sent.size() >= 3);
        CHECK(link.sent[0].message.options == NdOptions{option_b, withdrawn(option_a)});

        Simulation other;
        other.sender.adopt({option_a});
        other.daemon_speaks();
        other.sender.set_options({}, other.now);
        other.run_for(100s);
        CHECK(other.sent.size() == 3);
        CHECK(other.sender.silent());
    }

    TEST_CASE("options that exceed a packet are spread, each exactly once a round") {
        Simulation link;
        NdOptions many;
        for (std::uint8_t i = 0; i < 20; ++i) {
            Buffer one(200, std::uint8_t(i + 1));
            one[0] = 144;
            one[1] = 25;
            many.push_back(one);
        }
        link.daemon_speaks(daemon_header, false);
        CHECK(link.sender.set_options(many, link.now) == 0);
        link.run_for(10s);
        REQUIRE(link.sent.size() == 4);  // six fit
        NdOptions seen;
        for (const auto& one : link.sent)
            seen.insert(seen.end(), one.message.options.begin(), one.message.options.end());
        CHECK(seen == many);
        for (const auto gap : link.gaps()) CHECK(gap >= 3s);
        link.sent.clear();
        link.sender.on_solicitation(host, link.now);
        link.run_for(1s);
        CHECK(link.sent.size() == 4);  // to one host they may leave together
        for (const auto& one : link.sent) CHECK(one.to == host);
    }

    TEST_CASE("what no packet can hold, or would spoil it, is left out and said") {
        Simulation link;
        link.daemon_speaks();
        Buffer huge(2040, 1);
        huge[1] = 255;
        const Buffer misfit = hex("9003 0001 00000708 0005 03646e7300 00");
        CHECK(link.sender.set_options({huge, misfit, option_a}, link.now) == 2);
        link.run_for(10s);
        REQUIRE(!link.sent.empty());
        CHECK(link.sent[0].message.options == NdOptions{option_a});
    }

    TEST_CASE("a silent daemon ends the announcing, its return starts it anew") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(3h);
        REQUIRE(!link.sent.empty());
        CHECK(link.sent.back().at < begin + 1800s);
        link.sent.clear();
        link.daemon_speaks(daemon_header, false);
        link.run_for(40s);
        CHECK(link.sent.size() == 3);
    }

    TEST_CASE("after the daemon's farewell nothing brings the route back") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        link.daemon_speaks({64, 0xc8, 0s, 0ms, 0ms});
        link.sender.on_solicitation(host, link.now);
        link.run_for(1h);
        CHECK(link.sent.empty());
        link.sender.withdraw(link.now);
        link.run_for(100s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) CHECK(one.message.header.router_lifetime == 0s);
    }

    TEST_CASE("a withdrawal after the daemon fell silent leaves the route its remaining time") {
        Simulation link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(1800s);
        const auto route_until = link.sent.back().at + 1800s;
        link.run_for(60s);
        link.sent.clear();
        link.sender.withdraw(link.now);
        link.run_for(100s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) {
            const auto until = one.at + one.message.header.router_lifetime;
            CHECK(until >= route_until);
            CHECK(until < route_until + 1s);
        }
    }
}

}  // namespace
}  // namespace porchlight::ra
