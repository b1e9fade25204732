#include "ra/pvd_option.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

// All that the option can hold.
const Buffer full =
    hex("15 09 e005 0102"                           // H, L, R; Delay 5; sequence 258
        "03 707664 07 6578616d706c65 03 6f7267 00"  // pvd.example.org
        "00"                                        // padding to 24
        "86 00 0000 40 c8 0708 00000000 00000000"
        "1903 0000 00000708 20010db8 00000000 00000000 00000053"
        "0501 0000 000005dc");
const Buffer small = hex("15 01 0000 0000 01 61");  // no room for the root label
const Buffer least = hex("15 02 0000 0000 01 61 00 00000000000000");

TEST_SUITE("ra/pvd_option") {
    TEST_CASE("a full option survives a round trip") {
        const auto pvd = parse_pvd_option(full);
        REQUIRE_MESSAGE(pvd, pvd.error().message);
        CHECK(pvd->http);
        CHECK(pvd->legacy);
        CHECK(pvd->delay == 5);
        CHECK(pvd->sequence == 258);
        CHECK(dns::to_host(pvd->name) == "pvd.example.org");
        REQUIRE(pvd->header);
        CHECK(pvd->header->router_lifetime == 1800s);
        CHECK(pvd->header->flags == 0xc8);
        CHECK(pvd->options.size() == 2);
        CHECK(pvd->options[1] == hex("0501 0000 000005dc"));
        Writer out;
        write(out, *pvd);
        CHECK(*out.take() == full);
    }

    TEST_CASE("the least option is a name") {
        const auto pvd = parse_pvd_option(least);
        REQUIRE(pvd);
        CHECK(!pvd->http);
        CHECK(!pvd->header);
        CHECK(pvd->options.empty());
        Writer out;
        write(out, *pvd);
        CHECK(*out.take() == least);
        CHECK(!parse_pvd_option(small));
    }

    TEST_CASE("every truncation is refused, whatever its Length says, but between two options") {
        for (std::size_t size = 0; size < full.size(); ++size) {
            CAPTURE(size);
            Buffer cut(full.begin(), full.begin() + std::ptrdiff_t(size));
            CHECK(!parse_pvd_option(cut));
            if (size < 2) continue;
            cut[1] = std::uint8_t(size / 8);
            CHECK(bool(parse_pvd_option(cut)) == (size == 40 || size == 64));
        }
    }

    TEST_CASE("what receivers are to ignore is ignored") {
        Buffer odd = least;
        odd[2] = 0x1f;  // reserved bits
        odd[3] = 0xff;  // reserved bits, and a Delay without H
        odd[15] = 1;    // padding
        const auto pvd = parse_pvd_option(odd);
        REQUIRE(pvd);
        CHECK(*pvd == *parse_pvd_option(least));
        Buffer header = full;
        header[24] = 1;     // type
        header[25] = 1;     // code
        header[26] = 0xff;  // checksum
        CHECK(*parse_pvd_option(header) == *parse_pvd_option(full));
    }

    TEST_CASE("the root, a compressed name, an option of length 0, another type are refused") {
        CHECK(!parse_pvd_option(hex("15 01 0000 0000 00 00")));
        CHECK(!parse_pvd_option(hex("15 01 0000 0000 c0 00")));
        Buffer empty = full;
        empty[41] = 0;
        CHECK(!parse_pvd_option(empty));
        Buffer other = least;
        other[0] = 22;
        CHECK(!parse_pvd_option(other));
    }
}

}  // namespace
}  // namespace porchlight::ra
