#include "ra/draft_options.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::ra {
namespace {

using std::chrono::seconds;

template <class Option>
Buffer written(const Option& option) {
    Writer out;
    write(out, option);
    return *out.take();
}

dns::EncryptedResolver dot(std::uint16_t priority, const char* adn,
                           std::vector<IpAddress> addresses) {
    dns::SvcParams params;
    params.alpn = {"dot"};
    return {priority, *dns::parse_name(adn), std::move(addresses), params};
}

TEST_SUITE("ra/draft_options") {
    const auto adn =
        hex("fd 02"           // type, 16 octets
            "01 00 00000708"  // DoT, unassigned, lifetime 1800
            "03 646e73 00"    // dns.
            "000000");        // padding
    const auto addresses =
        hex("fe 04"                                // type, 32 octets
            "0000 00000708"                        // unassigned, lifetime 1800
            "01 00 22d5"                           // DoT, unassigned, port 8917
            "20010db8 00000000 00000000 00000053"  // one address
            "00000000");                           // what the draft forgot
    const IpAddress one = *parse_ipv6("2001:db8::1");
    const IpAddress four = *parse_ipv4("192.0.2.53");
    constexpr std::size_t plenty = 1000;

    TEST_CASE("Figure 14: the name option survives a round trip") {
        const auto option = parse_ra_enc_adn(adn);
        REQUIRE(option);
        CHECK(*option == RaEncAdn{253, dns::draft_dot, seconds(1800), *dns::parse_name("dns")});
        CHECK(written(*option) == adn);
    }

    TEST_CASE("Figure 15: the address option survives a round trip") {
        const auto option = parse_ra_enc_addresses(addresses);
        REQUIRE(option);
        CHECK(*option ==
              RaEncAddresses{
                  254, seconds(1800), dns::draft_dot, 8917, {*parse_ipv6("2001:db8::53")}});
        CHECK(written(*option) == addresses);
    }

    TEST_CASE("every truncation is refused") {
        for (std::size_t size = 0; size < adn.size(); ++size)
            CHECK(!parse_ra_enc_adn(Bytes(adn).first(size)));
        for (std::size_t size = 0; size < addresses.size(); ++size)
            CHECK(!parse_ra_enc_addresses(Bytes(addresses).first(size)));
    }

    TEST_CASE("a Length other than the option's is refused") {
        for (const int length : {0, 1, 3, 5}) {
            Buffer name = adn, list = addresses;
            name[1] = list[1] = static_cast<std::uint8_t>(length);
            CHECK(!parse_ra_enc_adn(name));
            CHECK(!parse_ra_enc_addresses(list));
        }
    }

    TEST_CASE("every length of a name is padded with 0 to 7 zeros and read back") {
        for (std::size_t length = 1; length <= 63; ++length) {
            CAPTURE(length);
            const RaEncAdn option{253, dns::draft_doq, RaEncAdn().lifetime,
                                  *dns::parse_name(std::string(length, 'a'))};
            const Buffer octets = written(option);
            CHECK(octets.size() % 8 == 0);
            CHECK(octets.size() < 8 + length + 2 + 8);
            CHECK(*parse_ra_enc_adn(octets) == option);
        }
    }

    TEST_CASE("padding is zero and no longer than it must be") {
        Buffer dirty = adn;
        dirty.back() = 1;
        CHECK(!parse_ra_enc_adn(dirty));
        Buffer long_one = adn;
        long_one.resize(24);
        long_one[1] = 3;
        CHECK(!parse_ra_enc_adn(long_one));
        dirty = addresses;
        dirty.back() = 1;
        CHECK(!parse_ra_enc_addresses(dirty));
        CHECK(!parse_ra_enc_addresses(  // 12 octets of padding
            hex("fe 05 0000 00000708 01 00 0000 20010db8 00000000 00000000 00000053"
                "00000000 00000000 00000000")));
    }

    TEST_CASE("8 octets of padding are one unit too many") {
        CHECK(parse_ra_enc_adn(hex("fd 02 01 00 00000708 02 6162 03 646e73 00")));
        CHECK(
            !parse_ra_enc_adn(hex("fd 03 01 00 00000708 02 6162 03 646e73 00 00000000 00000000")));
    }

    TEST_CASE("a name without root label, up to the option's end, is refused") {
        CHECK(parse_ra_enc_adn(hex("fd 02 01 00 00000708 07 61626364656667")).error().message ==
              "RA Encrypted DNS ADN option: ends too early at octet 16");
        CHECK(!parse_ra_enc_adn(hex("fd 02 01 00 00000708 08 61626364656667")));
    }

    TEST_CASE("Figure 8: a protocol is named; what is unassigned is ignored") {
        Buffer mute = adn;
        mute[2] = 0xf8;
        CHECK(!parse_ra_enc_adn(mute));
        mute = addresses;
        mute[8] = 0;
        CHECK(!parse_ra_enc_addresses(mute));
        Buffer future = adn;
        future[2] = 0xff;
        future[3] = 0xff;
        CHECK(parse_ra_enc_adn(future)->flags ==
              (dns::draft_dot | dns::draft_doh | dns::draft_doq));
        future = addresses;
        future[2] = future[3] = future[9] = 0xff;
        CHECK(written(*parse_ra_enc_addresses(future)) == addresses);
    }

    TEST_CASE("draft section 4.3: lifetimes go from now to for ever") {
        for (const char* lifetime : {"00000000", "ffffffff"}) {
            const auto octets = hex(lifetime);
            Buffer name = adn, list = addresses;
            std::copy(octets.begin(), octets.end(), name.begin() + 4);
            std::copy(octets.begin(), octets.end(), list.begin() + 4);
            CHECK(parse_ra_enc_adn(name)->lifetime == seconds(octets[0] == 0 ? 0 : 0xffffffff));
            CHECK(written(*parse_ra_enc_adn(name)) == name);
            CHECK(written(*parse_ra_enc_addresses(list)) == list);
        }
    }

    TEST_CASE("the name is there, uncompressed, a host's and not the root") {
        CHECK(!parse_ra_enc_adn(hex("fd 02 01 00 00000708 00 00000000000000")));
        CHECK(!parse_ra_enc_adn(hex("fd 02 01 00 00000708 03 646e73 c000 0000")));
        CHECK(!parse_ra_enc_adn(hex("fd 02 01 00 00000708 03 642073 00 000000")));
        CHECK(parse_ra_enc_adn(hex("fd 02 01 00 00000708 00 00000000000000")).error().message ==
              "RA Encrypted DNS ADN option: has the root as its name at octet 9");
    }

    TEST_CASE("there is at least one address, and what no host could use is dropped") {
        CHECK(!parse_ra_enc_addresses(hex("fe 02 0000 00000708 01 00 0000 00000000")));
        Buffer useless = addresses;
        useless[12] = 0xff;
        CHECK(parse_ra_enc_addresses(useless).error().message ==
              "RA Encrypted DNS Address option: has no address that a host could use at octet 28");
        const auto kept = parse_ra_enc_addresses(
            hex("fe 06 0000 00000708 01 00 0000 00000000 00000000 00000000 00000001"
                "20010db8 00000000 00000000 00000053 00000000"));
        REQUIRE(kept);
        CHECK(kept->addresses == std::vector{*parse_ipv6("2001:db8::53")});
    }

    TEST_CASE("more than a Length can say is not written") {
        const Ipv6 address = *parse_ipv6("2001:db8::53");
        RaEncAddresses many{254, seconds(1), dns::draft_dot, 0, std::vector<Ipv6>(126, address)};
        CHECK(*parse_ra_enc_addresses(written(many)) == many);
        many.addresses.push_back(address);
        Writer out;
        write(out, many);
        CHECK(!out.take());
    }

    TEST_CASE("options of an advertisement are told apart by type, bad ones hurt no others") {
        const std::vector<Buffer> options{hex("19 01 0000 00000000"),
                                          hex("fd 01 00 00 00000000"),
                                          addresses,
                                          hex("fe 01 0000 00000000"),
                                          adn,
                                          {}};
        const DraftReceived received = read_draft(options);
        CHECK(received.malformed.size() == 2);
        REQUIRE(received.resolvers.size() == 1);
        CHECK(received.resolvers.front().adn == dns::parse_name("dns").value());
        CHECK(received.resolvers.front().port == 8917);
        CHECK(received.resolvers.front().lifetime == seconds(1800));
        CHECK(read_draft(options, {101, 102, 103, 1, 2, 3}).resolvers.empty());
    }

    TEST_CASE("resolvers are encoded by priority, each a name and its addresses") {
        const std::vector three{dot(3, "c.example", {one}), dot(1, "a.example", {one}),
                                dot(2, "b.example", {four})};
        const auto all = encode_draft(three, seconds(1800), plenty);
        REQUIRE(all.groups.size() == 2);
        REQUIRE(all.groups[0].size() == 2);
        CHECK(all.groups[0][0] ==
              hex("fd 03 01 00 00000708 01 61 07 6578616d706c65 00 0000000000"));
        CHECK(all.groups[0][1] == hex("fe 04 0000 00000708 01 00 0000 20010db8 00000000"
                                      "00000000 00000001 00000000"));
        REQUIRE(all.left_out.size() == 1);
        CHECK(all.left_out.front().priority == 2);
        const auto narrow = encode_draft(three, seconds(1800), 55);
        CHECK(narrow.groups.empty());
        CHECK(narrow.left_out.back().why == "its 56 octets do not fit into the 55 left");
        CHECK(encode_draft(three, seconds(1800), 56).groups.size() == 2);
    }

    TEST_CASE("templates have no place here: DoH is told of, its path is not") {
        dns::EncryptedResolver doh = dot(1, "a.example", {one});
        doh.params.alpn = {"h2"};
        doh.params.dohpath = "/q{?dns}";
        const auto encoded = encode_draft(std::vector{doh}, seconds(1), plenty);
        REQUIRE(encoded.groups.size() == 1);
        CHECK(encoded.groups.front().size() == 2);
    }

    TEST_CASE("what a resolver lacks has no option") {
        const dns::Name a = *dns::parse_name("a");
        CHECK(draft_options({a, dns::draft_dot, 0, {}, {}, seconds(1)})->size() == 1);
        CHECK(draft_options({{}, dns::draft_dot, 0, {one}, {}, seconds(1)})->size() == 1);
        CHECK(draft_options({{}, dns::draft_dot, 0, {}, {}, seconds(1)})->empty());
    }

    TEST_CASE("types are settings") {
        const dns::DraftCodePoints codes{101, 102, 103, 1, 2, 3};
        const auto encoded =
            encode_draft(std::vector{dot(1, "a.example", {one})}, seconds(1), plenty, codes);
        REQUIRE(encoded.groups.size() == 1);
        CHECK(encoded.groups[0][0][0] == 101);
        CHECK(encoded.groups[0][1][0] == 102);
    }

    TEST_CASE("what reads back as something else is not sent") {
        const std::vector some{dot(1, "a.example", {one})};
        const auto overlong = encode_draft(some, seconds(0x100000000), plenty);
        CHECK(overlong.groups.empty());
        REQUIRE(overlong.left_out.size() == 1);
        CHECK(overlong.left_out.front().why == "it reads back as something else");
        // Two types that are one: a host would take the addresses for a name.
        const auto same = encode_draft(some, seconds(1), plenty, {253, 253, 230, 1, 2, 3});
        CHECK(same.groups.empty());
        CHECK(same.left_out.size() == 1);
        const auto crowd = encode_draft(
            std::vector{dot(1, "a.example", std::vector<IpAddress>(127, one))}, seconds(1), 65535);
        CHECK(crowd.groups.empty());
    }
}

}  // namespace
}  // namespace porchlight::ra
