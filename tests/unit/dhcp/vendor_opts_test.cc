#include "dhcp/vendor_opts.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dhcp {
namespace {

// Enterprise 32473, which RFC 5612 keeps for documentation, with two options.
const auto full = hex("00007ed9 0002 0002 efef 0001 0003 abcdef");

TEST_SUITE("dhcp/vendor_opts") {
    TEST_CASE("sub-options survive a round trip, in their order") {
        const auto vendor = parse_vendor_opts(full);
        REQUIRE(vendor);
        CHECK(vendor->enterprise == 32473);
        CHECK(vendor->options == std::vector<V6Option>{{2, hex("efef")}, {1, hex("abcdef")}});
        Writer out;
        write(out, *vendor);
        CHECK(*out.take() == full);
    }

    TEST_CASE("every truncation is refused, unless sub-options end there") {
        for (std::size_t size = 0; size < full.size(); ++size) {
            CAPTURE(size);
            CHECK(bool(parse_vendor_opts(Bytes(full).first(size))) == (size == 4 || size == 10));
        }
        CHECK(parse_vendor_opts(hex("00007ed9 0001 0003 abcd")).error().message ==
              "DHCPv6 option 17: ends too early at octet 8");
    }

    TEST_CASE("the draft's options are 1, 2 and 3 under an enterprise, else what they are") {
        dns::DraftCodePoints codes;
        CHECK(within(codes) == codes);
        codes.enterprise = 1;
        const dns::DraftCodePoints inside = within(codes);
        CHECK(inside.dhcpv6_adn == 1);
        CHECK(inside.dhcpv6_addresses == 2);
        CHECK(inside.dhcpv6_templates == 3);
        CHECK(inside.ra_adn == codes.ra_adn);
    }
}

}  // namespace
}  // namespace porchlight::dhcp
