#include "dhcp/v4_dnr.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dhcp {
namespace {

Buffer joined(std::initializer_list<Buffer> parts) {
    Buffer all;
    for (const Buffer& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

TEST_SUITE("dhcp/v4_dnr") {
    const auto full =
        hex("0015"                   // of what follows
            "0001"                   // priority
            "05 03 646e73 00"        // adn "dns."
            "04 c0000235"            // one address
            "0001 0004 03 646f74");  // alpn=dot
    const auto adn_only = hex("0008 0002 05 03 646e74 00");

    TEST_CASE("instances survive a round trip") {
        const auto dnr = parse_v4_dnr(joined({full, adn_only}));
        REQUIRE(dnr);
        REQUIRE(dnr->size() == 2);
        CHECK(dnr->front().priority == 1);
        CHECK(dns::to_text(dnr->front().adn) == "dns.");
        CHECK(dnr->front().addresses == std::vector{*parse_ipv4("192.0.2.53")});
        CHECK(dnr->front().params.alpn == std::vector<std::string>{"dot"});
        CHECK(dns::is_adn_only(resolver_of(dnr->back())));
        Writer out;
        write(out, *dnr);
        CHECK(*out.take() == joined({full, adn_only}));
        CHECK(v4_dnr_instance(resolver_of(dnr->front())) == dnr->front());
    }

    TEST_CASE("every truncation is refused, unless it ends between two instances") {
        const auto both = joined({full, adn_only});
        for (std::size_t size = 0; size < both.size(); ++size) {
            CAPTURE(size);
            CHECK(bool(parse_v4_dnr(Bytes(both).first(size))) == (size == full.size()));
        }
    }

    TEST_CASE("RFC 9463 section 5.1: the instances fill the option, to the octet") {
        CHECK(!parse_v4_dnr({}));
        CHECK(!parse_v4_dnr(joined({full, hex("00")})));
        CHECK(!parse_v4_dnr(joined({full, hex("0000")})));
    }

    TEST_CASE("RFC 9463 section 5.2: one bad instance spoils the option") {
        CHECK(parse_v4_dnr(joined({adn_only, full, adn_only})));
        CHECK(!parse_v4_dnr(joined({full, hex("0009 0002 05 03 646e74 00 00")})));
        CHECK(!parse_v4_dnr(joined({hex("0009 0002 05 03 646e74 00 00"), full})));
    }

    TEST_CASE("RFC 9463 section 3.1.8: the name is there, whole, uncompressed and not the root") {
        CHECK(!parse_v4_dnr(hex("0003 0001 00")));
        CHECK(!parse_v4_dnr(hex("0004 0001 01 00")));
        CHECK(!parse_v4_dnr(hex("0007 0001 04 03 646e73")));
        CHECK(!parse_v4_dnr(hex("0009 0001 06 03 646e73 c000")));
        CHECK(!parse_v4_dnr(hex("0009 0001 06 03 646e73 00 00")));
    }

    TEST_CASE("RFC 9463 section 5.1: the addresses fill their field, 4 octets each, at least one") {
        CHECK(parse_v4_dnr(hex("000d 0001 05 03 646e73 00 04 c0000235")));
        CHECK(!parse_v4_dnr(hex("000c 0001 05 03 646e73 00 03 c00002")));
        CHECK(!parse_v4_dnr(hex("000e 0001 05 03 646e73 00 05 c0000235 00")));
        CHECK(!parse_v4_dnr(hex("0011 0001 05 03 646e73 00 00 0001 0004 03 646f74")));
    }

    TEST_CASE("RFC 9463 section 5.2: multicast and loopback addresses are dropped in silence") {
        for (const char* useless : {"e00000fb", "7f000001", "00000000", "ffffffff"}) {
            CAPTURE(useless);
            const auto kept = parse_v4_dnr(
                joined({hex("0011 0001 05 03 646e73 00 08"), hex(useless), hex("c0000235")}));
            REQUIRE(kept);
            CHECK(kept->front().addresses == std::vector{*parse_ipv4("192.0.2.53")});
            CHECK(!parse_v4_dnr(joined({hex("000d 0001 05 03 646e73 00 04"), hex(useless)})));
        }
    }

    TEST_CASE("RFC 9463 section 3.1.6: with the name alone there is nothing after it") {
        CHECK(dns::is_adn_only(resolver_of(parse_v4_dnr(adn_only)->front())));
        CHECK(!parse_v4_dnr(hex("0009 0001 05 03 646e73 00 00")));
    }

    TEST_CASE("RFC 9463 section 3.1.8: malformed parameters invalidate the option") {
        CHECK(!parse_v4_dnr(hex("0012 0001 05 03 646e73 00 04 c0000235 0003 0001 35")));
        CHECK(!parse_v4_dnr(hex("0010 0001 05 03 646e73 00 04 c0000235 0001 00")));
        CHECK(parse_v4_dnr(hex("0013 0001 05 03 646e73 00 04 c0000235 0003 0002 2135")));
    }

    TEST_CASE("RFC 9463 section 3.1.5: address hints invalidate the option") {
        CHECK(!parse_v4_dnr(hex("0015 0001 05 03 646e73 00 04 c0000235 0004 0004 c0000235")));
    }

    TEST_CASE("more addresses than one octet can count are refused when written") {
        V4DnrInstance crowd{1, *dns::parse_name("dns"), std::vector<Ipv4>(64), {}};
        Writer out;
        write(out, crowd);
        CHECK(!out.take());
    }
}

}  // namespace
}  // namespace porchlight::dhcp
