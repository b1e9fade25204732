#include "ra/rdnss_option.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Buffer full =
    hex("19 05 0000 00000708"                  // lifetime 1800
        "20010db8 00000000 00000000 00000053"  // two servers
        "fe800000 00000000 00000000 00000001");

TEST_SUITE("ra/rdnss_option") {
    TEST_CASE("a full option survives a round trip") {
        const auto rdnss = parse_rdnss_option(full);
        REQUIRE(rdnss);
        CHECK(rdnss->lifetime == 1800s);
        CHECK(rdnss->servers ==
              std::vector<Ipv6>{*parse_ipv6("2001:db8::53"), *parse_ipv6("fe80::1")});
        Writer out;
        write(out, *rdnss);
        CHECK(*out.take() == full);
    }

    TEST_CASE("every truncation is refused, whatever its Length says") {
        for (std::size_t size = 0; size < full.size(); ++size) {
            CAPTURE(size);
            Buffer cut(full.begin(), full.begin() + std::ptrdiff_t(size));
            CHECK(!parse_rdnss_option(cut));
            if (size < 2) continue;
            cut[1] = std::uint8_t(size / 8);
            CHECK(bool(parse_rdnss_option(cut)) == (size == 24));
        }
    }

    TEST_CASE("half an address, no address, another type are refused") {
        CHECK(
            !parse_rdnss_option(hex("19 04 0000 00000708 20010db8 00000000 00000000 00000053"
                                    "20010db8 00000000")));
        CHECK(!parse_rdnss_option(hex("19 01 0000 00000708")));
        Buffer other = full;
        other[0] = 31;
        CHECK(!parse_rdnss_option(other));
    }

    TEST_CASE("reserved bits are ignored, useless addresses dropped") {
        Buffer reserved = full;
        reserved[2] = 0xff;
        CHECK(parse_rdnss_option(reserved));
        const auto rdnss =
            parse_rdnss_option(hex("19 05 0000 ffffffff ff020000 00000000 00000000"
                                   "00000001 20010db8 00000000 00000000 00000053"));
        REQUIRE(rdnss);
        CHECK(rdnss->servers == std::vector<Ipv6>{*parse_ipv6("2001:db8::53")});
        CHECK(!parse_rdnss_option(hex("19 03 0000 ffffffff ff020000 00000000 00000000 00000001")));
    }
}

}  // namespace
}  // namespace porchlight::ra
