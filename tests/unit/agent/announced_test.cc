#include "agent/announced.h"

#include <doctest/doctest.h>

#include "hex.h"
#include "ra/options.h"

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

    TEST_CASE("the prefixes of a router are a set, whatever their order and lifetimes") {
        const Buffer ula =
            hex("0304 40 c0 00001518 00000a8c 00000000 fd770000000000000000000000000000");
        const Buffer gua =
            hex("0304 40 c0 00001518 00000a8c 00000000 20010db8000000000000000000000000");
        const Buffer gone =
            hex("0304 40 c0 00000000 00000000 00000000 20010db8000000000000000000000000");
        ra::Announced link = on("br-lan");
        link.options = {ula, gone, hex("0501 0000 000005dc"), gua};
        CHECK(prefixes_of(link).empty());  // a supplement tells of none
        link.full = true;
        const ra::NdOptions set = prefixes_of(link);
        CHECK(set == ra::NdOptions{gone, ra::withdrawn(ula)});
        link.options = {gua, ula};
        CHECK(prefixes_of(link) == set);
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
