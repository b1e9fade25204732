#include "ra/heard_options.h"

#include <doctest/doctest.h>

#include "hex.h"
#include "ra/options.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Clock::time_point begin = Clock::time_point(1000s);
const Buffer dnr = hex("9002 0001 00000708 0005 03646e7300 00");
const Buffer dnr_again = hex("9002 0001 00000e10 0005 03646e7300 00");
const Buffer dnr_for_ever = hex("9002 0002 ffffffff 0005 03646f7400 00");
const Buffer rdnss = hex("1903 0000 00000708 fd770000000000000000000000000001");
const Buffer mtu = hex("0501 0000 000005dc");

TEST_SUITE("ra/heard_options") {
    TEST_CASE("what tells of resolvers stands for its Lifetime, also where it is not repeated") {
        HeardOptions heard;
        heard.on_advertisement({mtu, rdnss, dnr}, begin);
        heard.on_advertisement({mtu}, begin + 60s);
        CHECK(heard.standing(begin + 1799s) == NdOptions{rdnss, dnr});
        CHECK(heard.tells_type(144, begin + 1799s));
        CHECK(!heard.tells_type(5, begin));
        CHECK(heard.next_end(begin) == begin + 1800s);
        CHECK(heard.standing(begin + 1800s).empty());
        CHECK(!heard.tells_type(144, begin + 1800s));
        CHECK(heard.next_end(begin + 1800s) == Clock::time_point::max());
    }

    TEST_CASE("told again it stands longer, as one") {
        HeardOptions heard;
        heard.on_advertisement({dnr}, begin);
        heard.on_advertisement({dnr_again}, begin + 10s);
        CHECK(heard.standing(begin + 3609s) == NdOptions{dnr_again});
        CHECK(heard.tells(dnr, begin + 3609s));
        CHECK(heard.tells(withdrawn(dnr), begin + 3609s));
        CHECK(!heard.tells(dnr_for_ever, begin));
    }

    TEST_CASE("Lifetime 0 ends it at once, all ones never do") {
        HeardOptions heard;
        heard.on_advertisement({dnr, dnr_for_ever}, begin);
        heard.on_advertisement({withdrawn(dnr)}, begin + 10s);
        CHECK(heard.standing(begin + 10s) == NdOptions{dnr_for_ever});
        CHECK(heard.next_end(begin + 10s) == Clock::time_point::max());
        CHECK(heard.standing(begin + 100000h).size() == 1);
        heard.on_advertisement({withdrawn(dnr_for_ever)}, begin + 20s);
        CHECK(!heard.tells_type(144, begin + 20s));
    }

    TEST_CASE("no more than so many are known") {
        HeardOptions heard;
        Buffer many = dnr;
        for (unsigned i = 0; i < 2 * HeardOptions::options_max; ++i) {
            many[3] = std::uint8_t(i);
            heard.on_advertisement({many}, begin);
        }
        CHECK(heard.standing(begin).size() == HeardOptions::options_max);
    }
}

}  // namespace
}  // namespace porchlight::ra
