#include "dhcp/draft_v6.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dhcp {
namespace {

template <class Option>
Buffer written(const Option& option) {
    Writer out;
    write(out, option);
    return *out.take();
}

dns::EncryptedResolver resolver(std::uint16_t priority, const char* adn,
                                std::vector<std::string> alpn, std::vector<IpAddress> addresses) {
    dns::SvcParams params;
    params.alpn = std::move(alpn);
    if ((dns::flags_of(params.alpn) & dns::draft_doh) != 0) params.dohpath = "/q{?dns}";
    return {priority, *dns::parse_name(adn), std::move(addresses), params};
}

TEST_SUITE("dhcp/draft_v6") {
    // Figure 9's name, in the option of Figure 7.
    const auto adn = hex("01 04 646f6831 07 6578616d706c65 03 636f6d 00");
    const auto addresses =
        hex("03 00 20fb"                           // DoT and DoH, unassigned, port 8443
            "20010db8 00000000 00000000 00000053"  // in order of preference
            "fe800000 00000000 00000000 00000001");
    const auto templates =
        hex("0016 68747470733a2f2f646e732f7175657279 7b646e737d"  // https://dns/query{dns}
            "0013 68747470733a2f2f646e732f71 7b3f646e737d");      // https://dns/q{?dns}
    const IpAddress one = *parse_ipv6("2001:db8::1");
    const IpAddress two = *parse_ipv6("2001:db8::2");
    const IpAddress four = *parse_ipv4("192.0.2.53");
    constexpr std::size_t plenty = 1000;

    TEST_CASE("Figures 7 and 9: the name option survives a round trip") {
        const auto option = parse_v6_enc_adn(adn);
        REQUIRE(option);
        CHECK(option->flags == dns::draft_dot);
        CHECK(dns::to_text(option->adn) == "doh1.example.com.");
        CHECK(adn.size() == 1 + 18);
        CHECK(written(*option) == adn);
    }

    TEST_CASE("Figure 10: the address option survives a round trip") {
        const auto option = parse_v6_enc_addresses(addresses);
        REQUIRE(option);
        CHECK(option->flags == (dns::draft_dot | dns::draft_doh));
        CHECK(option->port == 8443);
        CHECK(option->addresses ==
              std::vector{*parse_ipv6("2001:db8::53"), *parse_ipv6("fe80::1")});
        CHECK(written(*option) == addresses);
    }

    TEST_CASE("Figure 16: the template option survives a round trip") {
        const auto option = parse_v6_doh_templates(templates);
        REQUIRE(option);
        CHECK(option->templates ==
              std::vector<std::string>{"https://dns/query{dns}", "https://dns/q{?dns}"});
        CHECK(written(*option) == templates);
    }

    TEST_CASE("every truncation is refused, unless it is a shorter legal option") {
        for (std::size_t size = 0; size < adn.size(); ++size)
            CHECK(!parse_v6_enc_adn(Bytes(adn).first(size)));
        for (std::size_t size = 0; size < addresses.size(); ++size) {
            CAPTURE(size);
            CHECK(bool(parse_v6_enc_addresses(Bytes(addresses).first(size))) == (size == 20));
        }
        for (std::size_t size = 0; size < templates.size(); ++size) {
            CAPTURE(size);
            CHECK(bool(parse_v6_doh_templates(Bytes(templates).first(size))) == (size == 24));
        }
        const auto whole = written(V6Option{65001, adn});
        for (std::size_t size = 1; size < whole.size(); ++size)
            CHECK(!parse_v6_options(Bytes(whole).first(size)));
        CHECK(parse_v6_options({})->empty());
    }

    TEST_CASE("Figure 8: a protocol is named; what is unassigned is ignored") {
        CHECK(!parse_v6_enc_adn(hex("00 03 646e73 00")));
        CHECK(!parse_v6_enc_addresses(hex("00 00 0000 20010db8 00000000 00000000 00000053")));
        CHECK(parse_v6_enc_adn(hex("fc 03 646e73 00"))->flags == dns::draft_doq);
        const auto option =
            parse_v6_enc_addresses(hex("81 ff 0000 20010db8 00000000 00000000"
                                       "00000053"));
        REQUIRE(option);
        CHECK(option->flags == dns::draft_dot);
        CHECK(written(*option) == hex("01 00 0000 20010db8 00000000 00000000 00000053"));
    }

    TEST_CASE("the name is there, whole, uncompressed, a host's and not the root") {
        CHECK(!parse_v6_enc_adn(hex("01")));
        CHECK(!parse_v6_enc_adn(hex("01 00")));
        CHECK(!parse_v6_enc_adn(hex("01 03 646e73 00 00")));
        CHECK(!parse_v6_enc_adn(hex("01 03 646e73 c000")));
        CHECK(!parse_v6_enc_adn(hex("01 03 642073 00")));
        CHECK(parse_v6_enc_adn(hex("01 03 646e73 00 00")).error().message ==
              "OPTION_V6_ENC_ADN: has octets left over at octet 6");
    }

    TEST_CASE("there is at least one address, and what no host could use is dropped") {
        CHECK(!parse_v6_enc_addresses(hex("01 00 0000")));
        CHECK(!parse_v6_enc_addresses(hex("01 00 0000 ff020000 00000000 00000000 000000fb")));
        const auto kept =
            parse_v6_enc_addresses(hex("01 00 0000 00000000 00000000 00000000 00000001"
                                       "20010db8 00000000 00000000 00000053"));
        REQUIRE(kept);
        CHECK(kept->addresses == std::vector{*parse_ipv6("2001:db8::53")});
        CHECK(!parse_v6_enc_addresses(hex("01 00 0000 20010db8 00000000 00000000 00000053 00")));
        CHECK(parse_v6_enc_addresses(hex("01 00 0000")).error().message ==
              "OPTION_V6_ENC_ADD: has no address that a host could use at octet 4");
    }

    TEST_CASE("templates are there, not empty and UTF-8") {
        CHECK(!parse_v6_doh_templates({}));
        CHECK(!parse_v6_doh_templates(hex("0000")));
        CHECK(!parse_v6_doh_templates(hex("0002 2fff")));
        CHECK(!parse_v6_doh_templates(hex("0002 2f00")));
        CHECK(parse_v6_doh_templates(hex("0002 2fff")).error().message ==
              "OPTION_V6_DOH_TEMPLATE: has a template that is empty or no UTF-8 text at octet 4");
    }

    TEST_CASE("a length that does not fit its field is not written") {
        Writer out;
        write(out, V6DohTemplates{{std::string(65536, 'a')}});
        CHECK(!out.take());
        Writer option;
        write(option, V6Option{65003, Buffer(65536)});
        CHECK(!option.take());
        const dns::DraftResolver long_winded{{}, 0, 0, {}, {std::string(65536, 'a')}, {}};
        CHECK(!draft_v6_options(long_winded));
    }

    TEST_CASE("options of a message are told apart by their codes, bad ones hurt no others") {
        const std::vector<V6Option> options{{65001, hex("01 03 646e73 00")},
                                            {65002, hex("01 00 0000")},
                                            {23, hex("00")},
                                            {65001, hex("00")},
                                            {65003, hex("0000")},
                                            {65002, addresses}};
        const DraftReceivedV6 received = read_draft_v6(options);
        CHECK(received.malformed.size() == 3);
        REQUIRE(received.resolvers.size() == 2);
        CHECK(received.resolvers[0].adn == dns::parse_name("dns").value());
        CHECK(received.resolvers[0].flags == dns::draft_dot);
        CHECK(received.resolvers[0].addresses.size() == 2);
        CHECK(!received.resolvers[1].adn);
        const dns::DraftCodePoints others{253, 254, 230, 1001, 1002, 1003};
        CHECK(read_draft_v6(options, others).resolvers.empty());
    }

    TEST_CASE("resolvers are encoded by priority: name, addresses, templates") {
        const std::vector three{resolver(3, "c.example", {"dot"}, {one}),
                                resolver(1, "a.example", {"dot", "h2"}, {two}),
                                resolver(2, "b.example", {"dot"}, {four})};
        const auto all = encode_draft_v6(three, 32, plenty);
        REQUIRE(all.options.size() == 5);
        CHECK(all.options[0] == V6Option{65001, hex("03 01 61 07 6578616d706c65 00")});
        CHECK(all.options[1] ==
              V6Option{65002, hex("03 00 0000 20010db8 00000000 00000000 00000002")});
        CHECK(all.options[2] ==
              V6Option{65003, hex("0019 68747470733a2f2f 612e6578616d706c65 2f71 7b3f646e737d")});
        CHECK(all.options[3].code == 65001);
        CHECK(all.options[4].code == 65002);
        REQUIRE(all.left_out.size() == 1);
        CHECK(all.left_out.front().priority == 2);
        const auto found = dns::resolvers_of(read_draft_v6(all.options).resolvers);
        REQUIRE(found.size() == 2);
        CHECK(found[0].params == three[1].params);
    }

    TEST_CASE("code points are settings") {
        const dns::DraftCodePoints codes{1, 2, 3, 1001, 1002, 1003};
        const auto some =
            encode_draft_v6(std::vector{resolver(1, "a.example", {"h2"}, {two})}, 1, plenty, codes);
        REQUIRE(some.options.size() == 3);
        CHECK(some.options[0].code == 1001);
        CHECK(some.options[1].code == 1002);
        CHECK(some.options[2].code == 1003);
        CHECK(read_draft_v6(some.options, codes).resolvers.size() == 1);
    }

    TEST_CASE("what is too much for the server is left out, the last ones first") {
        const std::vector both{resolver(2, "b.example", {"dot"}, {one}),
                               resolver(1, "a.example", {"dot"}, {one, two})};
        const auto few = encode_draft_v6(both, 1, plenty);
        CHECK(few.options.size() == 2);
        REQUIRE(few.left_out.size() == 1);
        CHECK(few.left_out.front().priority == 2);
        CHECK(few.left_out.front().why == "the server can tell of no more than 1");
        const auto narrow = encode_draft_v6(both, 2, 35);
        CHECK(narrow.options.size() == 2);
        REQUIRE(narrow.left_out.size() == 1);
        CHECK(narrow.left_out.front().why == "its 36 octets do not fit into the 35 left");
        CHECK(encode_draft_v6(both, 2, 36).left_out.empty());
    }

    TEST_CASE("what reads back as something else is not sent") {
        // Both have the same name and port, so a host can't know whose template it is.
        const std::vector both{resolver(1, "a.example", {"h2"}, {one}),
                               resolver(2, "a.example", {"h2"}, {two})};
        const auto encoded = encode_draft_v6(both, 2, plenty);
        CHECK(encoded.options.size() == 3);
        REQUIRE(encoded.left_out.size() == 1);
        CHECK(encoded.left_out.front().priority == 2);
        CHECK(encoded.left_out.front().why == "it reads back as something else");
    }
}

}  // namespace
}  // namespace porchlight::dhcp
