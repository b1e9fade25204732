#include "ra/options.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "hex.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Buffer dnr = hex("9002 0001 00000708 0005 03646e7300 00");
const Buffer prefix = hex("0304 40 c0 00001518 00000a8c 00000000 20010db8000000000000000000000000");
const Buffer source_link_layer = hex("0101 020000000001");
const Buffer mtu = hex("0501 0000 000005dc");

Buffer joined(const Buffer& a, const Buffer& b) {
    Buffer both = a;
    both.insert(both.end(), b.begin(), b.end());
    return both;
}

TEST_SUITE("ra/options") {
    TEST_CASE("every Lifetime of a unit is taken back, and nothing else of it") {
        CHECK(withdrawn(dnr) == hex("9002 0001 00000000 0005 03646e7300 00"));
        CHECK(withdrawn(prefix) ==
              hex("0304 40 c0 00000000 00000000 00000000 20010db8000000000000000000000000"));
        CHECK(withdrawn(joined(dnr, dnr)) == joined(withdrawn(dnr), withdrawn(dnr)));
        CHECK(withdrawn(mtu) == mtu);
        CHECK(withdrawn(source_link_layer) == source_link_layer);
        CHECK(!can_be_withdrawn(source_link_layer));
        CHECK(!can_be_withdrawn({}));
        CHECK(!can_be_withdrawn(mtu));
        CHECK(can_be_withdrawn(prefix));
    }

    TEST_CASE("a unit is parted into whole options, what is behind them is left out") {
        CHECK(options_of(joined(dnr, mtu)) == NdOptions{dnr, mtu});
        CHECK(options_of({}).empty());
        CHECK(options_of(joined(mtu, hex("9002 0001 00000708"))) == NdOptions{mtu});
        CHECK(options_of(joined(mtu, hex("9000 0001 00000708"))) == NdOptions{mtu});
        CHECK(options_of(joined(mtu, hex("90"))) == NdOptions{mtu});
    }

    TEST_CASE("an option tells the first of its lifetimes, all ones for ever") {
        CHECK(lifetime(dnr) == 1800s);
        CHECK(lifetime(prefix) == 5400s);
        Buffer endless = dnr;
        std::fill_n(endless.begin() + 4, 4, std::uint8_t{0xff});
        CHECK(lifetime(endless) == for_ever);
        CHECK(lifetime(withdrawn(endless)) == 0s);
    }

    TEST_CASE("a prefix tells its lifetimes") {
        CHECK(is_prefix(prefix));
        CHECK(!is_prefix(dnr));
        CHECK(!is_prefix(Buffer(prefix.begin(), prefix.begin() + 16)));
        CHECK(!is_prefix(joined(dnr, dnr)));
        CHECK(valid_lifetime(prefix) == 5400s);
        CHECK(is_preferred(prefix));
        CHECK(!is_preferred(withdrawn(prefix)));
        Buffer deprecated = prefix;
        std::fill_n(deprecated.begin() + 8, 4, std::uint8_t(0));
        CHECK(!is_preferred(deprecated));
        CHECK(valid_lifetime(deprecated) == 5400s);
    }

    TEST_CASE("only whole options that fit are sendable") {
        CHECK(is_sendable(dnr, 16));
        CHECK(!is_sendable(dnr, 15));
        CHECK(is_sendable(joined(dnr, mtu), 24));
        CHECK(!is_sendable({}, 100));
        for (std::size_t size = 1; size < 24; ++size) {
            CAPTURE(size);
            Buffer cut = joined(dnr, mtu);
            cut.resize(size);
            CHECK(is_sendable(cut, 100) == (size == 16));
        }
        CHECK(!is_sendable(hex("9000 0001 00000708"), 100));
    }

    TEST_CASE("lifetimes alone are no news, the end of a preference is") {
        Buffer later = prefix;
        later[7] = 1;
        Buffer longer = dnr;
        ++longer[7];
        CHECK(same_but_for_lifetimes({prefix, dnr}, {later, longer}));
        CHECK(!same_but_for_lifetimes({prefix, dnr}, {later, withdrawn(dnr)}));
        CHECK(!same_but_for_lifetimes({withdrawn(dnr)}, {dnr}));
        CHECK(same_but_for_lifetimes({mtu}, {mtu}));
        later[8] = later[9] = later[10] = later[11] = 0;
        CHECK(!same_but_for_lifetimes({prefix}, {later}));
        CHECK(!same_but_for_lifetimes({prefix, dnr}, {dnr, prefix}));
        CHECK(!same_but_for_lifetimes({prefix}, {}));
    }

    TEST_CASE("what takes back is known by what it takes back") {
        CHECK(contains({mtu, dnr}, withdrawn(dnr)));
        CHECK(!contains({mtu, dnr}, withdrawn(prefix)));
        CHECK(!contains({}, withdrawn(dnr)));
    }

    TEST_CASE("a unit is never cut by a packet's end") {
        const Buffer unit = joined(dnr, mtu);
        CHECK(spread({unit, unit, unit}, 50) == std::deque<NdOptions>{{unit, unit}, {unit}});
        CHECK(spread({unit, unit, unit}, 48) == std::deque<NdOptions>{{unit, unit}, {unit}});
        CHECK(spread({unit, unit, unit, unit}, 47) ==
              std::deque<NdOptions>{{unit}, {unit}, {unit}, {unit}});
        CHECK(spread({}, 50) == std::deque<NdOptions>{{}});
    }
}

}  // namespace
}  // namespace porchlight::ra
