#include <doctest/doctest.h>

#include <map>

#include "ra/ends.h"
#include "simulated_link.h"

namespace porchlight::ra {
namespace {

std::chrono::seconds told(const SimulatedLink::Sent& one) {
    REQUIRE(one.message.options.size() == 1);
    return lifetime(one.message.options[0]);
}

/// A link whose daemon is there, and that tells of option_a until then.
struct Offered : SimulatedLink {
    explicit Offered(Clock::time_point until, Sender::Interval interval = {})
        : SimulatedLink(interval) {
        daemon_speaks(daemon_header, false);
        tell_until(until);
    }
    void tell_until(Clock::time_point until) {
        sender.set_options({option_a}, now, Ends({option_a}, {until}));
    }
    /// Of the last multicast.
    Clock::time_point known_until() const { return sent.back().at + told(sent.back()); }
};

TEST_SUITE("ra/sender, ends") {
    TEST_CASE("each advertisement carries what is left when it leaves, also an answer") {
        Offered link(begin + 1500s);
        link.run_for(1000s);
        link.sender.on_solicitation(host, link.now);
        link.run_for(1s);
        REQUIRE(link.sent.size() > 4);
        CHECK(link.sent.back().to == host);
        for (const auto& one : link.sent) {
            CHECK(told(one) == std::chrono::floor<std::chrono::seconds>(begin + 1500s - one.at));
            CHECK(told(one) <= 1500s);
        }
        CHECK(lifetime(link.sender.said(link.now)->options[0]) == 499s);
    }

    TEST_CASE("what lasts longer than ours is told with ours") {
        Offered link(begin + 100000s);
        link.run_for(2000s);
        for (const auto& one : link.sent) CHECK(told(one) == 1800s);
    }

    TEST_CASE("the packets of a round carry what is left of each then") {
        SimulatedLink link;
        link.daemon_speaks(daemon_header, false);
        const NdOptions many = many_options();
        link.sender.set_options(
            many, link.now, Ends(many, std::vector<Clock::time_point>(many.size(), begin + 1000s)));
        link.run_for(16s);
        REQUIRE(link.sent.size() > 4);
        CHECK(link.sent.back().at > link.sent.front().at);
        for (const auto& one : link.sent)
            CHECK(lifetime(one.message.options[0]) ==
                  std::chrono::floor<std::chrono::seconds>(begin + 1000s - one.at));
    }

    TEST_CASE("a short one that is put off again and again never lapses, with two lost in a row") {
        Offered link(begin + 30s);
        for (int i = 0; i < 200; ++i) {
            link.run_for(10s);
            link.tell_until(link.now + 30s);
        }
        // Only one of three is heard.
        for (std::size_t i = 3; i < link.sent.size(); ++i)
            CHECK(link.sent[i - 3].at + told(link.sent[i - 3]) >= link.sent[i].at - 1s);
        for (const auto gap : link.gaps()) CHECK(gap >= Sender::multicast_spacing);
    }

    TEST_CASE("one that runs out makes no more than a few advertisements closer on each other") {
        Offered link(begin + 1800s);
        link.run_for(1799s);
        CHECK(link.multicasts() < 3 + 9 + 20);
        CHECK(told(link.sent.back()) <= 9s);
        link.run_for(600s);
        // Whether one leaves in the last second, and so takes it back, is chance.
        CHECK(told(link.sent.back()) < Sender::multicast_spacing);
        for (const auto& one : link.sent)
            CHECK(one.at + told(one) <= std::max(begin + 1800s, one.at));
    }

    TEST_CASE("an end that is put off is no news") {
        Offered link(begin + 1500s);
        link.run_for(60s);
        const std::size_t before = link.sent.size();
        link.tell_until(link.now + 1800s);
        link.run_for(30s);
        CHECK(link.sent.size() == before);
        // Nor is one that comes nearer by what rounding makes of it.
        link.tell_until(link.now + 1800s - 30s - 2s);
        link.run_for(30s);
        CHECK(link.sent.size() == before);
        CHECK(link.announced() == NdOptions{option_a});
    }

    TEST_CASE("an end that comes nearer is told at once, to hosts that were told more") {
        Offered link(begin + 1500s);
        link.run_for(60s);
        const std::size_t before = link.sent.size();
        const auto wake = link.sender.wake();
        link.tell_until(begin + 600s);
        link.run_for(1s);
        REQUIRE(link.sent.size() == before + 1);
        CHECK(link.known_until() <= begin + 600s);
        CHECK(wake > link.now);
        // Control: hosts know of none for longer than ours.
        Offered far(begin + 100000s);
        far.run_for(60s);
        const std::size_t sent = far.sent.size();
        far.tell_until(begin + 50000s);
        far.run_for(1s);
        CHECK(far.sent.size() == sent);
    }

    TEST_CASE("what had no end and has one now is told so") {
        SimulatedLink link;
        link.daemon_speaks(daemon_header, false);
        link.sender.set_options({option_a}, link.now);
        link.run_for(60s);
        const std::size_t before = link.sent.size();
        link.sender.set_options({option_a}, link.now, Ends({option_a}, {link.now + 300s}));
        link.run_for(1s);
        REQUIRE(link.sent.size() == before + 1);
        CHECK(told(link.sent.back()) == 300s);
        // And the other way round it can wait.
        link.sender.set_options({option_a}, link.now);
        link.run_for(1s);
        CHECK(link.sent.size() == before + 1);
    }

    TEST_CASE("whoever makes an end jump makes an advertisement each three seconds at most") {
        Offered link(begin + 1500s);
        for (int i = 0; i < 300; ++i) {
            link.run_for(1s);
            link.tell_until(link.now + (i % 2 == 0 ? 60s : 1500s));
        }
        CHECK(link.multicasts() <= 300 / 3 + 2);
        for (const auto gap : link.gaps()) CHECK(gap >= Sender::multicast_spacing);
    }

    TEST_CASE("what the daemon tells itself is left to it, however little is left") {
        Offered link(begin + 1500s);
        link.run_for(60s);
        link.daemon_tells({option_a});
        const std::size_t before = link.sent.size();
        link.run_for(300s);
        link.tell_until(link.now + 60s);
        link.run_for(60s);
        CHECK(link.sent.size() == before);
        CHECK(link.sender.left_to_daemon(link.now) == NdOptions{option_a});
    }
}

}  // namespace
}  // namespace porchlight::ra
