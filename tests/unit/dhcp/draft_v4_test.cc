#include "dhcp/draft_v4.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dhcp {
namespace {

Buffer joined(std::initializer_list<Buffer> parts) {
    Buffer all;
    for (const Buffer& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

dns::EncryptedResolver dot(std::uint16_t priority, const char* adn,
                           std::vector<IpAddress> addresses) {
    dns::SvcParams params;
    params.alpn = {"dot"};
    return {priority, *dns::parse_name(adn), std::move(addresses), params};
}

TEST_SUITE("dhcp/draft_v4") {
    const auto first =
        hex("01 02"                                               // DoT; two addresses
            "0000"                                                // default port
            "c0000235 c0000236"                                   // 192.0.2.53, 192.0.2.54
            "03 646e73 00");                                      // dns.
    const auto second = hex("06 01 20fb c6336435 03 646e74 00");  // DoH and DoQ on 8443
    const IpAddress four = *parse_ipv4("192.0.2.53");
    constexpr std::size_t plenty = 255;

    TEST_CASE("Figures 11 to 13: instances survive a round trip") {
        const auto instances = parse_v4_enc_dns(joined({first, second}));
        REQUIRE(instances);
        REQUIRE(instances->size() == 2);
        CHECK(instances->front() == V4EncDns{dns::draft_dot,
                                             0,
                                             {*parse_ipv4("192.0.2.53"), *parse_ipv4("192.0.2.54")},
                                             *dns::parse_name("dns")});
        CHECK(instances->back().flags == (dns::draft_doh | dns::draft_doq));
        CHECK(instances->back().port == 8443);
        Writer out;
        for (const V4EncDns& instance : *instances) write(out, instance);
        CHECK(*out.take() == joined({first, second}));
        CHECK(v4_enc_dns(draft_resolver_of(instances->back())) == instances->back());
    }

    // The name of Figure 9, 18 octets in the form of RFC 8415 section 10.
    TEST_CASE("Figure 9: the sample name is read to its root label") {
        const auto instances =
            parse_v4_enc_dns(hex("01 01 0000 c0000235 04 646f6831 07 6578616d706c65 03 636f6d 00"));
        REQUIRE(instances);
        CHECK(dns::to_text(instances->front().adn) == "doh1.example.com.");
    }

    TEST_CASE("every truncation is refused, unless it ends between two instances") {
        const auto both = joined({first, second});
        for (std::size_t size = 0; size < both.size(); ++size) {
            CAPTURE(size);
            CHECK(bool(parse_v4_enc_dns(Bytes(both).first(size))) == (size == first.size()));
        }
    }

    TEST_CASE("one bad instance spoils the option") {
        CHECK(!parse_v4_enc_dns(joined({first, hex("00")})));
        CHECK(!parse_v4_enc_dns(joined({first, hex("00 01 0000 c0000235 03 646e73 00")})));
        CHECK(!parse_v4_enc_dns(joined({hex("00 01 0000 c0000235 03 646e73 00"), first})));
    }

    TEST_CASE("Figure 8: a protocol is named; unassigned flags are ignored") {
        CHECK(!parse_v4_enc_dns(hex("00 01 0000 c0000235 03 646e73 00")));
        CHECK(!parse_v4_enc_dns(hex("f8 01 0000 c0000235 03 646e73 00")));
        CHECK(parse_v4_enc_dns(hex("f9 01 0000 c0000235 03 646e73 00"))->front().flags ==
              dns::draft_dot);
    }

    TEST_CASE("there is at least one address, and what no host could use is dropped") {
        CHECK(!parse_v4_enc_dns(hex("01 00 0000 03 646e73 00")));
        CHECK(!parse_v4_enc_dns(hex("01 01 0000 7f000001 03 646e73 00")));
        const auto kept = parse_v4_enc_dns(hex("01 02 0000 e00000fb c0000235 03 646e73 00"));
        REQUIRE(kept);
        CHECK(kept->front().addresses == std::vector{*parse_ipv4("192.0.2.53")});
    }

    TEST_CASE("the name is there, uncompressed, a host's and not the root") {
        CHECK(!parse_v4_enc_dns(hex("01 01 0000 c0000235 00")));
        CHECK(!parse_v4_enc_dns(hex("01 01 0000 c0000235 03 646e73 c000")));
        CHECK(!parse_v4_enc_dns(hex("01 01 0000 c0000235 03 642073 00")));
    }

    TEST_CASE("a refusal names option, reason and octet") {
        CHECK(parse_v4_enc_dns(Bytes(first).first(9)).error().message ==
              "OPTION_V4_ENC_DNS: ends too early at octet 9");
    }

    TEST_CASE("more addresses than one octet can count are refused when written") {
        Writer out;
        write(out, V4EncDns{dns::draft_dot, 0, std::vector<Ipv4>(256), *dns::parse_name("dns")});
        CHECK(!out.take());
    }

    TEST_CASE("resolvers are encoded by priority, within the room there is") {
        const std::vector three{dot(3, "c.example", {four}), dot(1, "a.example", {four}),
                                dot(2, "b.example", {*parse_ipv6("fd00::1")})};
        const auto all = encode_draft_v4(three, plenty);
        CHECK(all.payload == hex("01 01 0000 c0000235 01 61 07 6578616d706c65 00"
                                 "01 01 0000 c0000235 01 63 07 6578616d706c65 00"));
        REQUIRE(all.left_out.size() == 1);
        CHECK(all.left_out.front().priority == 2);
        const auto less = encode_draft_v4(three, all.payload.size() - 1);
        CHECK(less.payload.size() == all.payload.size() / 2);
        REQUIRE(less.left_out.size() == 2);
        CHECK(less.left_out.back().priority == 3);
        CHECK(less.left_out.back().why == "its 19 octets do not fit into the 18 left");
        CHECK(encode_draft_v4(three, all.payload.size()).payload == all.payload);
    }

    TEST_CASE("what reads back as something else is not sent") {
        const std::vector crowd{dot(1, "a.example", std::vector<IpAddress>(256, four))};
        const auto none = encode_draft_v4(crowd, 65535);
        CHECK(none.payload.empty());
        CHECK(none.left_out.size() == 1);
        const Ipv4 address = std::get<Ipv4>(four);
        const dns::Name adn = *dns::parse_name("a.example");
        CHECK(encode_checked({dns::draft_dot, 0, {address}, adn}));
        for (const V4EncDns& bad :
             {V4EncDns{0x81, 0, {address}, adn}, V4EncDns{dns::draft_dot, 0, {}, adn},
              V4EncDns{dns::draft_dot, 0, {address, Ipv4{}}, adn}})
            CHECK(!encode_checked(bad));
    }
}

}  // namespace
}  // namespace porchlight::dhcp
