#include "simulated_link.h"

namespace porchlight::ra {
namespace {

TEST_SUITE("ra/sender, after a farewell") {
    TEST_CASE("a look at the link or the same wish again ends no withdrawal after a farewell") {
        SimulatedLink link;
        link.daemon_speaks();
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        link.daemon_speaks({64, 0xc8, 0s, 0ms, 0ms});
        for (int second = 0; second < 30; ++second) {
            link.sender.set_link({}, link.now);
            link.sender.set_full(std::nullopt, link.now);
            link.sender.set_options({option_a}, link.now);
            link.run_for(1s);
        }
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent)
            CHECK(one.message.options == NdOptions{withdrawn(option_a)});
    }
}

}  // namespace
}  // namespace porchlight::ra
