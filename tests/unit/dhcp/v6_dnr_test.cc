#include "dhcp/v6_dnr.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dhcp {
namespace {

TEST_SUITE("dhcp/v6_dnr") {
    const auto full =
        hex("0001"                                      // priority
            "0005 03 646e73 00"                         // adn "dns."
            "0010 20010db8 00000000 00000000 00000053"  // one address
            "0001 0003 02 6832");                       // alpn=h2

    TEST_CASE("a full option survives a round trip") {
        const auto dnr = parse_v6_dnr(full);
        REQUIRE(dnr);
        CHECK(dnr->priority == 1);
        CHECK(dns::to_text(dnr->adn) == "dns.");
        CHECK(dnr->addresses == std::vector{*parse_ipv6("2001:db8::53")});
        CHECK(dnr->params.alpn == std::vector<std::string>{"h2"});
        Writer out;
        write(out, *dnr);
        CHECK(*out.take() == full);
        CHECK(v6_dnr(resolver_of(*dnr)) == *dnr);
    }

    TEST_CASE("every truncation is refused, unless it is a shorter legal option") {
        for (std::size_t size = 0; size < full.size(); ++size) {
            const bool legal = size == 9 || size == 27;  // ADN-only; no params
            CAPTURE(size);
            CHECK(bool(parse_v6_dnr(Bytes(full).first(size))) == legal);
        }
    }

    TEST_CASE("RFC 9463 section 3.1.6: with the name alone there is nothing after it") {
        // The name of RFC 9463 Figure 2: 18 octets, 22 with priority and length.
        const auto adn_only = hex("0001 0012 04 646f6831 07 6578616d706c65 03 636f6d 00");
        CHECK(adn_only.size() == 22);
        const auto dnr = parse_v6_dnr(adn_only);
        REQUIRE(dnr);
        CHECK(dns::to_text(dnr->adn) == "doh1.example.com.");
        CHECK(dns::is_adn_only(resolver_of(*dnr)));
        Writer out;
        write(out, *dnr);
        CHECK(*out.take() == adn_only);
    }

    TEST_CASE("RFC 9463 section 3.1.8: additional data without an address is invalid") {
        CHECK(!parse_v6_dnr(hex("0001 0005 03 646e73 00 0000")));
        CHECK(!parse_v6_dnr(hex("0001 0005 03 646e73 00 0000 0001 0003 02 6832")));
    }

    TEST_CASE("RFC 9463 section 3.1.8: the name is there, whole, uncompressed and not the root") {
        CHECK(!parse_v6_dnr(hex("0001 0000")));                  // none
        CHECK(!parse_v6_dnr(hex("0001 0001 00")));               // the root
        CHECK(!parse_v6_dnr(hex("0001 0004 03 646e73")));        // no root label
        CHECK(!parse_v6_dnr(hex("0001 0006 03 646e73 00 00")));  // more than the name
        CHECK(!parse_v6_dnr(hex("0001 0006 03 646e73 c000")));   // compressed
        CHECK(!parse_v6_dnr(hex("0001 0005 03 642073 00")));     // "d s"
    }

    TEST_CASE("RFC 9463 section 4.1: the addresses fill their field, 16 octets each") {
        CHECK(!parse_v6_dnr(hex("0001 0005 03 646e73 00 000f 20010db8 00000000 00000000 000000")));
        CHECK(!parse_v6_dnr(
            hex("0001 0005 03 646e73 00 0011 20010db8 00000000 00000000 00000053 00")));
        const auto two = parse_v6_dnr(
            hex("0001 0005 03 646e73 00"
                "0020 20010db8 00000000 00000000 00000053 fe800000 00000000 00000000 00000001"));
        REQUIRE(two);
        CHECK(two->addresses.size() == 2);
    }

    TEST_CASE("RFC 9463 section 4.2: multicast and loopback addresses are dropped in silence") {
        for (const char* useless : {"ff02::fb", "::1", "::", "::ffff:192.0.2.53"}) {
            CAPTURE(useless);
            Buffer both = hex("0001 0005 03 646e73 00 0020 20010db8 00000000 00000000 00000053");
            const Ipv6 dropped = *parse_ipv6(useless);
            both.insert(both.end(), dropped.octets.begin(), dropped.octets.end());
            const auto kept = parse_v6_dnr(both);
            REQUIRE(kept);
            CHECK(kept->addresses == std::vector{*parse_ipv6("2001:db8::53")});

            Buffer alone = hex("0001 0005 03 646e73 00 0010");
            alone.insert(alone.end(), dropped.octets.begin(), dropped.octets.end());
            CHECK(!parse_v6_dnr(alone));
        }
    }

    TEST_CASE("RFC 9463 section 3.1.5: address hints invalidate the option") {
        const auto head = hex("0001 0005 03 646e73 00 0010 20010db8 00000000 00000000 00000053");
        for (const auto& params : {hex("0001 0004 03 646f74 0004 0004 c0000235"),
                                   hex("0006 0010 20010db8 00000000 00000000 00000053")}) {
            Buffer option = head;
            option.insert(option.end(), params.begin(), params.end());
            CHECK(!parse_v6_dnr(option));
        }
    }

    TEST_CASE(
        "RFC 9463 section 3.1.8: malformed parameters invalidate the option, useless ones don't") {
        Buffer option = hex("0001 0005 03 646e73 00 0010 20010db8 00000000 00000000 00000053");
        Buffer malformed = option;
        for (std::uint8_t octet : hex("0003 0001 35")) malformed.push_back(octet);
        CHECK(!parse_v6_dnr(malformed));
        for (std::uint8_t octet : hex("0003 0002 0000")) option.push_back(octet);
        const auto useless = parse_v6_dnr(option);
        REQUIRE(useless);
        CHECK(dns::why_not_usable(resolver_of(*useless)));
    }

    TEST_CASE("a refusal names option, reason and octet") {
        CHECK(parse_v6_dnr(Bytes(full).first(11)).error().message ==
              "DHCPv6 option 144: ends too early at octet 11");
        CHECK(parse_v6_dnr(hex("0001 0006 03 646e73 00 00")).error().message ==
              "DHCPv6 option 144: has octets left over at octet 9");
        Buffer option = full;
        option[31] = 0;  // the ALPN id's length
        CHECK(parse_v6_dnr(option).error().message ==
              "DHCPv6 option 144: has an empty ALPN id at octet 32");
    }
}

}  // namespace
}  // namespace porchlight::dhcp
