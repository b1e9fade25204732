#include "dns/svcb.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dns {
namespace {

Buffer written(const Svcb& svcb) {
    Writer out;
    write(out, svcb);
    return *out.take();
}

TEST_SUITE("dns/svcb") {
    const auto full =
        hex("0001"                                           // SvcPriority
            "03 646e73 07 6578616d706c65 00"                 // dns.example.
            "0001 0007 03 646f74 02 6832"                    // alpn=dot,h2
            "0004 0004 c0000201"                             // ipv4hint
            "0006 0010 20010db8 00000000 00000000 00000053"  // ipv6hint
            "0007 0010 2f646e732d71756572797b3f646e737d");   // dohpath=/dns-query{?dns}

    TEST_CASE("a record with address hints survives a round trip and is usable") {
        const auto svcb = parse_svcb(full);
        REQUIRE(svcb);
        CHECK(svcb->priority == 1);
        CHECK(to_text(svcb->target) == "dns.example.");
        CHECK(svcb->params.alpn == std::vector<std::string>{"dot", "h2"});
        CHECK(svcb->params.other.at(key_ipv4hint) == hex("c0000201"));
        CHECK(written(*svcb) == full);
        CHECK(!why_not_usable(*svcb));
    }

    // Appendix D.1, Figure 2; D.2, Figures 3, 5 and 8.
    TEST_CASE("RFC 9460 appendix D: its vectors are read and written alike") {
        for (const char* vector :
             {"0000 03 666f6f 07 6578616d706c65 03 636f6d 00", "0001 00",
              "0001 03 666f6f 07 6578616d706c65 03 636f6d 00 029b 0005 68656c6c6f",
              "0010 03 666f6f 07 6578616d706c65 03 6f7267 00 0000 0004 0001 0004"
              "0001 0009 02 6832 05 68332d3139 0004 0004 c0000201"}) {
            CAPTURE(vector);
            const auto svcb = parse_svcb(hex(vector));
            REQUIRE(svcb);
            CHECK(written(*svcb) == hex(vector));
        }
    }

    TEST_CASE("every truncation is refused, unless it ends between two parameters") {
        for (std::size_t size = 0; size < full.size(); ++size) {
            const bool legal = size == 15 || size == 26 || size == 34 || size == 54;
            CAPTURE(size);
            CHECK(bool(parse_svcb(Bytes(full).first(size))) == legal);
        }
    }

    TEST_CASE("RFC 9460 section 2.2: the target is whole and not compressed") {
        CHECK(!parse_svcb(hex("0001 c00c")));
        CHECK(!parse_svcb(hex("0001 03 646e73")));
    }

    TEST_CASE("RFC 9460 section 2.2: a record with malformed parameters is malformed") {
        CHECK(!parse_svcb(hex("0001 03 646e73 00 0003 0001 35")));
        CHECK(!parse_svcb(hex("0000 03 646e73 00 0003 0001 35")));
        CHECK(!parse_svcb(hex("0001 03 646e73 00 00")));
        CHECK(parse_svcb(hex("0001 03 646e73 00 0003 0001 35")).error().message ==
              "SVCB: ends too early at octet 11");
    }

    TEST_CASE("RFC 9460 section 2.4.2: an alias is no resolver") {
        const auto alias = parse_svcb(hex("0000 03 646e73 00 0001 0004 03 646f74"));
        REQUIRE(alias);
        CHECK(*why_not_usable(*alias) == "priority 0 makes it an alias of its target");
    }

    TEST_CASE("RFC 9462 section 4: the target is neither the root nor in resolver.arpa") {
        Svcb svcb = *parse_svcb(full);
        svcb.target = Name();
        CHECK(*why_not_usable(svcb) == "its target is no host's name");
        for (const char* target : {"resolver.arpa", "dns.Resolver.Arpa"}) {
            svcb.target = *parse_name(target);
            CHECK(*why_not_usable(svcb) == "its target lies in resolver.arpa");
        }
        svcb.target = *parse_name("192.0.2.53");
        CHECK(*why_not_usable(svcb) == "its target reads as an address");
        svcb.target = *parse_name("resolver.example");
        CHECK(!why_not_usable(svcb));
    }

    TEST_CASE("RFC 9461 section 4: without a protocol a record is of no use") {
        CHECK(*why_not_usable(*parse_svcb(hex("0001 03 646e73 00"))) == "no alpn names a protocol");
    }
}

}  // namespace
}  // namespace porchlight::dns
