#include "ra/contradictions.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;
using Found = std::vector<std::string>;

const Buffer prefix = hex("0304 40 c0 00001518 00000a8c 00000000 20010db8000000000000000000000000");
const Buffer shorter =
    hex("0304 40 c0 00000100 00000001 00000000 20010db8000000000000000000000000");
const Buffer deprecated =
    hex("0304 40 c0 00001518 00000000 00000000 20010db8000000000000000000000000");
const Buffer other_prefix =
    hex("0304 40 c0 00001518 00000000 00000000 20010db8000100000000000000000000");
const Advertisement ours{{64, 0xc0, 1800s, 30000ms, 1000ms}, {hex("05010000000005dc"), prefix}};

TEST_SUITE("ra/contradictions") {
    TEST_CASE("RFC 4861 section 6.2.7: what is compared") {
        Advertisement theirs = ours;
        CHECK(contradictions(ours, theirs).empty());
        theirs.header = {32, 0, 1800s, 10000ms, 500ms};
        theirs.options = {hex("0501000000000500"), deprecated};
        CHECK(contradictions(ours, theirs) == Found{"Cur Hop Limit", "M flag", "O flag",
                                                    "Reachable Time", "Retrans Timer", "MTU",
                                                    "prefix lifetimes"});
    }

    TEST_CASE("what one of both leaves open, and another prefix or lifetime, is none") {
        CHECK(contradictions(ours, {{0, 0xc0, 0s, 0ms, 0ms}, {}}).empty());
        CHECK(contradictions(ours, {{0, 0xc0, 0s, 0ms, 0ms}, {shorter, other_prefix}}).empty());
    }
}

}  // namespace
}  // namespace porchlight::ra
