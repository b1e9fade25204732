#include <doctest/doctest.h>

#include <map>

#include "simulated_link.h"

namespace porchlight::ra {
namespace {

TEST_SUITE("ra/sender, lifetimes") {
    TEST_CASE("one packet: three intervals; each more: three times the pause before it") {
        CHECK(option_lifetime(600s, 0) == 1800s);
        CHECK(option_lifetime(600s, 1) == 1800s);
        CHECK(option_lifetime(4s, 6) == 57s);
    }

    TEST_CASE("at the shortest interval hosts that miss two rounds know every resolver") {
        const Sender::Interval shortest{3s, 4s};
        const NdOptions many = many_options();
        const std::size_t packets = spread(many, Sender::option_octets_max).size();
        REQUIRE(packets >= 5);
        SimulatedLink link(shortest);
        link.daemon_speaks(daemon_header, false);
        link.sender.set_options(many, link.now);
        link.run_for(600s);
        std::map<Buffer, Clock::time_point> told;
        Clock::duration longest{};
        for (const auto& one : link.sent) {
            for (const Buffer& unit : one.message.options) {
                const auto [last, first] = told.try_emplace(unit, one.at);
                if (!first) longest = std::max(longest, one.at - last->second);
                last->second = one.at;
            }
        }
        CHECK(told.size() == many.size());
        CHECK(longest > shortest.max);
        CHECK(3 * longest <= option_lifetime(shortest.max, packets));
    }
}

}  // namespace
}  // namespace porchlight::ra
