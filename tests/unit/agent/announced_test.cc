#include "agent/announced.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

ra::Announced on(const std::string& interface) {
    ra::Announced announced;
    announced.interface = interface;
    return announced;
}

TEST_SUITE("agent/announced") {
    TEST_CASE("what was announced survives a round trip") {
        const std::vector<ra::Announced> links{on("br-lan"), on("br-guest")};
        Writer out;
        write(out, links);
        const auto parsed = parse_announced_links(*out.take());
        REQUIRE(parsed);
        CHECK(*parsed == links);
    }

    TEST_CASE("nothing is withdrawn on a link that is none of the home's") {
        const std::vector<ra::Announced> left =
            on_links_of({"br-lan", "br-guest"}, {on("eth0"), on("br-lan"), on("")});
        CHECK(left == std::vector<ra::Announced>{on("br-lan")});
        CHECK(on_links_of({}, {on("eth0")}).empty());
    }
}

}  // namespace
}  // namespace porchlight::agent
