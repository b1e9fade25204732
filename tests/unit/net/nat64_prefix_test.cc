#include "net/nat64_prefix.h"

#include <doctest/doctest.h>

#include <string>

namespace porchlight::net {
namespace {

/// RFC 6052 section 2.4, of 192.0.2.33.
struct Example {
    const char* prefix;
    const char* address;
};
constexpr Example examples[] = {
    {"2001:db8::/32", "2001:db8:c000:221::"},
    {"2001:db8:100::/40", "2001:db8:1c0:2:21::"},
    {"2001:db8:122::/48", "2001:db8:122:c000:2:2100::"},
    {"2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"},
    {"2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"},
    {"2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"},
};

}  // namespace

TEST_SUITE("net/nat64_prefix") {
    TEST_CASE("the IPv4 address stands where RFC 6052 section 2.4 shows it") {
        for (const Example& example : examples) {
            CAPTURE(example.prefix);
            const auto prefix = parse_nat64_prefix(example.prefix);
            REQUIRE(prefix);
            Ipv6 address = *parse_ipv6(example.address);
            CHECK(prefix->holds(address));
            CHECK(embedded_ipv4(address, prefix->bits) == *parse_ipv4("192.0.2.33"));
            // Neither bits 64 to 71 nor a suffix belong to it.
            if (prefix->bits != 96) address.octets[8] = 0xff;
            for (std::size_t at = embedded_ipv4_end(prefix->bits); at < 16; ++at)
                address.octets[at] = 0xff;
            CHECK(embedded_ipv4(address, prefix->bits) == *parse_ipv4("192.0.2.33"));
            const auto last = static_cast<std::size_t>(prefix->bits / 8 - 1);
            address.octets[last] = static_cast<std::uint8_t>(address.octets[last] ^ 1u);
            CHECK(!prefix->holds(address));
        }
    }

    TEST_CASE("what stands behind it begins where the RFC's suffix does") {
        const std::size_t ends[] = {9, 10, 11, 12, 13, 16};
        std::size_t which = 0;
        for (const int bits : {32, 40, 48, 56, 64, 96})
            CHECK(embedded_ipv4_end(static_cast<std::uint8_t>(bits)) == ends[which++]);
    }

    TEST_CASE("without a length it has 96 bits") {
        const auto prefix = parse_nat64_prefix("2001:db8:64::/96");
        REQUIRE(prefix);
        CHECK(parse_nat64_prefix("2001:db8:64::") == prefix);
        CHECK(parse_nat64_prefix("2001:db8:64::192.0.2.1") == prefix);
    }

    TEST_CASE("other lengths, bits behind the prefix and bits 64 to 71 are refused") {
        for (const char* wrong : {"",
                                  "/96",
                                  "2001:db8::/",
                                  "2001:db8::/0",
                                  "2001:db8::/31",
                                  "2001:db8::/33",
                                  "2001:db8::/80",
                                  "2001:db8::/128",
                                  "2001:db8::/256",
                                  "2001:db8::/096",
                                  "2001:db8::/96 ",
                                  "2001:db8::/-96",
                                  "192.0.2.0/32",
                                  "2001:db8::/32/32",
                                  "2001:db8:1::/32",
                                  "2001:db8:64::1/96",
                                  "2001:db8:122:344::/56",
                                  "2001:db8:0:0:100::/96",
                                  "2001:db8:0:0:100::",
                                  "2001:db8:0:0:8000::/64"}) {
            CAPTURE(wrong);
            CHECK(!parse_nat64_prefix(wrong));
        }
        CHECK(parse_nat64_prefix("2001:db8:0:0:ff::/96"));  // the control: bits 72 to 79 are free
    }
}

}  // namespace porchlight::net
