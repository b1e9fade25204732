#include "ra/sender.h"

#include <map>

#include "simulated_link.h"

namespace porchlight::ra {
namespace {

TEST_SUITE("ra/sender") {
    TEST_CASE("nothing leaves before a header is known") {
        SimulatedLink link;
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
        SimulatedLink link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        for (int i = 0; i < 60; ++i) {
            link.run_for(300s);
            link.daemon_speaks();
            link.sender.on_solicitation(host, link.now);
        }
        REQUIRE(link.sent.size() > 60);
        for (const auto& one : link.sent)
            CHECK(one.message.header ==
                  RouterHeader{0, 0xc8, one.message.header.router_lifetime, 0ms, 0ms});
    }

    TEST_CASE("no advertisement keeps the route longer than the daemon's last word") {
        SimulatedLink link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        for (int i = 0; i < 100; ++i) {
            link.run_for(30s);
            link.sender.on_solicitation(host, link.now);
        }
        REQUIRE(link.sent.size() > 50);
        for (const auto& one : link.sent) {
            CHECK(one.message.header.router_lifetime > 0s);
            const auto until = one.at + one.message.header.router_lifetime;
            CHECK(until >= begin + 1800s);
            CHECK(until < begin + 1801s);
        }
    }

    TEST_CASE("a changed header is in the next advertisement") {
        SimulatedLink link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.daemon_speaks({64, 0, 600s, 0ms, 0ms});
        link.sender.on_solicitation(host, link.now);
        link.run_for(1s);
        CHECK(link.sent.back().message.header == RouterHeader{0, 0, 600s, 0ms, 0ms});
    }

    TEST_CASE("the first three are close together, then the pace is random within its bounds") {
        SimulatedLink link;
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
        SimulatedLink link;
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
        SimulatedLink link;
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
        SimulatedLink link;
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
        SimulatedLink link;
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
        SimulatedLink link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        link.sender.set_options({option_b}, link.now);
        CHECK(link.announced() == NdOptions{option_b, withdrawn(option_a)});
        link.run_for(300s);
        REQUIRE(link.sent.size() >= 3);
        for (std::size_t i = 0; i < link.sent.size(); ++i) {
            CAPTURE(i);
            const NdOptions both{option_b, hex("9002 0001 00000000 0005 03646e7300 00")};
            CHECK(link.sent[i].message.options == (i < 3 ? both : NdOptions{option_b}));
        }
        CHECK(link.sent[2].at - link.sent[0].at <= 2 * 16s);
        CHECK(link.announced() == NdOptions{option_b});
    }

    TEST_CASE("a withdrawal ends in silence, without a word on the route") {
        SimulatedLink link;
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
            CHECK(one.message.header.router_lifetime == begin + 1800s - one.at);
        }
        for (const auto gap : link.gaps()) CHECK(gap == 3s);
        CHECK(link.sender.silent());
        CHECK(link.sender.wake() == Sender::never);
        link.sender.on_solicitation(host, link.now);
        link.run_for(2h);
        CHECK(link.sent.size() == 3);
    }

    TEST_CASE("at the end of the process a withdrawal takes a second") {
        SimulatedLink link;
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

    TEST_CASE("however much was told, all of it is taken back thrice") {
        for (const bool at_the_end : {false, true}) {
            CAPTURE(at_the_end);
            SimulatedLink link;
            link.daemon_speaks();
            link.sender.set_options(many_options(), link.now);
            link.run_for(100s);
            link.sent.clear();
            if (at_the_end) {
                link.sender.finish(link.now);
            } else {
                link.sender.withdraw(link.now);
            }
            CHECK(link.announced().size() == many_options().size());
            link.run_for(at_the_end ? 1s : 100s);
            CHECK(link.sender.silent());
            CHECK(link.announced().empty());
            std::map<Buffer, unsigned> taken_back;
            for (const auto& one : link.sent)
                for (const Buffer& unit : one.message.options) ++taken_back[unit];
            CHECK(taken_back.size() == many_options().size());
            for (const auto& [unit, times] : taken_back) CHECK(times == Sender::withdrawals);
        }
    }

    TEST_CASE("finishing cuts a slow withdrawal short and is no news when there is nothing") {
        SimulatedLink link;
        link.sender.finish(link.now);
        CHECK(link.sender.silent());
        link.daemon_speaks();
        link.run_for(10s);
        CHECK(link.sent.empty());
    }

    TEST_CASE("what never left needs no withdrawal") {
        SimulatedLink link;
        link.sender.set_options({option_a}, link.now);
        CHECK(link.announced().empty());
        link.sender.set_options({option_b}, link.now);
        link.daemon_speaks(daemon_header, false);
        CHECK(link.announced() == NdOptions{option_b});
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].message.options == NdOptions{option_b});
    }

    TEST_CASE("an option that comes back is no longer withdrawn") {
        SimulatedLink link;
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
        SimulatedLink link;
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
        SimulatedLink link;
        link.sender.adopt(left_by_supplement({option_a, option_b}), link.now);
        CHECK(!link.sender.silent());
        link.daemon_speaks(daemon_header, false);
        link.run_for(60s);
        CHECK(link.sent.empty());  // not known yet whether it still holds
        CHECK(link.announced() == NdOptions{option_a, option_b});
        link.sender.set_options({option_b}, link.now);
        link.run_for(100s);
        REQUIRE(link.sent.size() >= 3);
        CHECK(link.sent[0].message.options == NdOptions{option_b, withdrawn(option_a)});

        SimulatedLink other;
        other.sender.adopt(left_by_supplement({option_a}), other.now);
        other.daemon_speaks();
        other.sender.set_options({}, other.now);
        other.run_for(100s);
        CHECK(other.sent.size() == 3);
        CHECK(other.sender.silent());
    }

    TEST_CASE("options that exceed a packet are spread, each exactly once a round") {
        SimulatedLink link;
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
        SimulatedLink link;
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
        SimulatedLink link;
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

    TEST_CASE("after the daemon's farewell all is taken back, and nothing brings the route back") {
        SimulatedLink link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        link.daemon_speaks({64, 0xc8, 0s, 0ms, 0ms});
        link.sender.on_solicitation(host, link.now);
        link.run_for(1h);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) {
            CHECK(one.message.header.router_lifetime == 0s);
            CHECK(one.message.options == NdOptions{withdrawn(option_a)});
        }
        link.sent.clear();
        link.daemon_speaks(daemon_header, false);
        link.run_for(40s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) {
            CHECK(one.message.header.router_lifetime > 1700s);
            CHECK(one.message.options == NdOptions{option_a});
        }
    }

    TEST_CASE("a daemon that lost its uplink but answers is announced beside on") {
        SimulatedLink link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        const RouterHeader no_uplink{64, 0xc8, 0s, 0ms, 0ms};
        link.daemon_speaks(no_uplink);
        link.run_for(1s);
        link.daemon_answers(no_uplink);
        link.run_for(1h);
        REQUIRE(!link.sent.empty());
        for (const auto& one : link.sent) {
            CHECK(one.message.header.router_lifetime == 0s);
            CHECK(one.message.options == NdOptions{option_a});
        }
    }

    TEST_CASE("a daemon that starts anew within its farewell is announced beside on") {
        SimulatedLink link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        link.daemon_speaks({64, 0xc8, 0s, 0ms, 0ms});
        link.run_for(2s);
        link.daemon_speaks();
        link.run_for(60s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) CHECK(one.message.options == NdOptions{option_a});
    }

    TEST_CASE("a withdrawal after the daemon fell silent leaves the route its remaining time") {
        SimulatedLink link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(1000s);
        link.sent.clear();
        link.sender.withdraw(link.now);
        link.run_for(100s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent)
            CHECK(one.message.header.router_lifetime == begin + 1800s - one.at);
        link.sender.set_options({option_a}, link.now);
        link.run_for(1000s);
        link.sent.clear();
        link.sender.withdraw(link.now);
        link.run_for(100s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) CHECK(one.message.header.router_lifetime == 0s);
    }

    TEST_CASE("two changes in a row leave nothing behind that was told before them") {
        SimulatedLink link;
        const Buffer option_c = hex("9002 0003 00000708 0005 03647000 0000");
        link.daemon_speaks();
        link.sender.set_options({option_a, option_b}, link.now);
        link.run_for(100s);
        link.sender.set_options({option_a, option_c}, link.now);
        link.sender.set_options({option_c}, link.now);
        link.sent.clear();
        link.run_for(10s);
        REQUIRE(!link.sent.empty());
        CHECK(link.sent[0].message.options ==
              NdOptions{option_c, withdrawn(option_b), withdrawn(option_a)});
    }

    TEST_CASE("old and new leave together also where not everything fits one packet") {
        SimulatedLink link;
        NdOptions many;
        for (std::uint8_t i = 0; i < 20; ++i) {
            Buffer one(200, std::uint8_t(i + 1));
            one[0] = 144;
            one[1] = 25;
            many.push_back(one);
        }
        link.daemon_speaks();
        link.sender.set_options(many, link.now);
        link.run_for(100s);
        link.sent.clear();
        const Buffer old = std::exchange(many[19], [&] {
            Buffer changed = many[19];
            changed[100] = 0;
            return changed;
        }());
        link.sender.set_options(many, link.now);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        const NdOptions& first = link.sent[0].message.options;
        REQUIRE(first.size() == 6);
        CHECK(first[0] == many[19]);
        CHECK(first[1] == withdrawn(old));
        link.run_for(100s);
        for (const auto gap : link.gaps()) CHECK(gap >= 3s);
    }

    TEST_CASE("what a former process announced is taken back also where the daemon is silent") {
        SimulatedLink link;
        link.sender.adopt(left_by_supplement({option_a}), link.now + 1500ms);
        link.sender.set_options({option_b}, link.now);
        link.run_for(1400ms);
        CHECK(link.sent.empty());  // the daemon may live, and knows better
        link.run_for(1h);
        REQUIRE(link.sent.size() == 3);
        CHECK(link.sent[0].at == begin + 1500ms);
        for (const auto& one : link.sent) {
            CHECK(one.message.options == NdOptions{withdrawn(option_a)});
            const auto until = one.at + one.message.header.router_lifetime;
            CHECK(until >= begin + 1700s);
            CHECK(until < begin + 1701s);
            CHECK(one.message.header.flags == 0xc8);
        }
    }

    TEST_CASE("a remembered route that has ended says nothing of what hosts have now") {
        SimulatedLink link;
        link.run_for(1700s);
        link.sender.adopt(left_by_supplement({option_a}), link.now);
        link.sender.set_options({}, link.now);
        link.run_for(1h);
        CHECK(link.sent.empty());
        CHECK(!link.announced().empty());  // nor does it count as done
        link.daemon_speaks(daemon_header, false);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].message.header.router_lifetime == 1800s);
    }

    TEST_CASE("what could not be sent counts for nothing and is tried again") {
        SimulatedLink link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        link.broken = true;
        link.sender.withdraw(link.now);
        link.run_for(100s);
        CHECK(link.announced() == NdOptions{withdrawn(option_a)});
        link.broken = false;
        link.run_for(100s);
        CHECK(link.sent.size() == 3);
        CHECK(link.sender.silent());

        link.sender.set_options({option_a}, link.now);
        link.run_for(1s);
        link.sent.clear();
        link.broken = true;
        link.sender.finish(link.now);
        link.run_for(2s);
        CHECK(!link.sender.silent());
        link.broken = false;
        link.run_for(2s);
        CHECK(link.sent.size() == 3);
        CHECK(link.sender.silent());
    }

    TEST_CASE("a broken link is tried again every minute at most, not all the time") {
        SimulatedLink link;
        int attempts = 0;
        link.daemon_speaks({64, 0, 9000s, 0ms, 0ms});
        link.sender.set_options({option_a}, link.now);
        while (link.now < begin + 1h) {
            link.now = std::max(link.now, link.sender.wake());
            link.sender.send_due(link.now, [&](const Packet&) { return ++attempts < 0; });
        }
        CHECK(attempts > 50);
        CHECK(attempts < 75);
    }

    TEST_CASE("250 hosts that solicit at once are answered within the limits") {
        SimulatedLink link;
        link.daemon_speaks(daemon_header, false);
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        const auto asked = link.now;
        for (int i = 0; i < 250; ++i) {
            Ipv6 one = host;
            one.octets[15] = std::uint8_t(i);
            link.sender.on_solicitation(one, link.now);
            link.run_for(4ms);  // all within a second
        }
        link.run_for(4s);
        // No host waits longer than MAX_RA_DELAY_TIME and MIN_DELAY_BETWEEN_RAS together.
        REQUIRE(link.multicasts() == 2);
        CHECK(link.sent.back().at - asked <= 4s);
        for (const auto gap : link.gaps()) CHECK(gap >= 3s);
        CHECK(link.sent.size() < 30);
    }
}

}  // namespace
}  // namespace porchlight::ra
