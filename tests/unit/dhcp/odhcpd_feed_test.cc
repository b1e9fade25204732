#include "dhcp/odhcpd_feed.h"

#include <doctest/doctest.h>

namespace porchlight::dhcp {
namespace {

dns::EncryptedResolver resolver(std::string_view adn, std::vector<std::string> alpn,
                                std::vector<IpAddress> addresses = {*parse_ipv6("fd77::1")}) {
    dns::EncryptedResolver one{1, *dns::parse_name(adn), std::move(addresses), {}};
    one.params.alpn = std::move(alpn);
    if (one.params.alpn == std::vector<std::string>{"h2"}) one.params.dohpath = "/q{?dns}";
    return one;
}

OdhcpdList list_of(const dns::EncryptedResolver& one, const OdhcpdUse& use = {}) {
    return odhcpd_list({&one, 1}, use);
}

std::string why(const dns::EncryptedResolver& one, const OdhcpdUse& use = {}) {
    const OdhcpdList list = list_of(one, use);
    CHECK(list.values.empty());
    CHECK(list.told.empty());
    REQUIRE(list.left_out.size() == 1);
    return list.left_out.front().why;
}

// Without padding the option of "cpe1.example" has 2+8+14+18+2+8 = 54 octets: 6 modulo 8.
constexpr std::string_view well_padded = "cpe1.example";

TEST_SUITE("dhcp/odhcpd_feed") {
    TEST_CASE("a resolver is one value: priority, name, addresses, parameters, lifetime") {
        CHECK(list_of(resolver(well_padded, {"dot"})).values ==
              std::vector<std::string>{"1  cpe1.example fd77::1 alpn=dot _lifetime=1800"});
        auto doh = resolver("d.example", {"h2"}, {*parse_ipv6("fd77::1"), *parse_ipv6("fd77::2")});
        doh.priority = 7;
        doh.params.port = 8443;
        OdhcpdUse use;
        use.lifetime = std::chrono::seconds(90);
        use.advertises = false;
        CHECK(list_of(doh, use).values ==
              std::vector<std::string>{"7  d.example fd77::1,fd77::2 alpn=h2 port=8443 "
                                       "dohpath=/q{?dns} _lifetime=90"});
    }

    TEST_CASE("only IPv6 addresses that hosts could reach are given") {
        const auto mixed = resolver(well_padded, {"dot"},
                                    {*parse_ipv4("192.168.77.1"), *parse_ipv6("ff02::1"),
                                     *parse_ipv6("::1"), *parse_ipv6("fd77::1")});
        const OdhcpdList list = list_of(mixed);
        REQUIRE(list.told.size() == 1);
        CHECK(list.told[0].addresses == std::vector<IpAddress>{*parse_ipv6("fd77::1")});
        CHECK(why(resolver(well_padded, {"dot"}, {*parse_ipv4("192.168.77.1")})) ==
              "it has no IPv6 address, and odhcpd sends others wrong");
        CHECK_FALSE(why(resolver(well_padded, {"dot"}, {*parse_ipv6("ff02::1")})).empty());
    }

    TEST_CASE("no length of a name leads to an option that is padded wrong") {
        std::string name = "a.example";
        for (std::size_t length = 0; length < 16; ++length, name.insert(0, "b")) {
            CAPTURE(name);
            const OdhcpdList list = list_of(resolver(name, {"dot"}));
            REQUIRE(list.told.size() == 1);
            const std::size_t plain = 2 + 8 + (name.size() + 2) + 2 + 16 + 2 + 8;
            const bool wrong = plain % 8 == 0 || plain % 8 == 7;
            CHECK(list.told[0].params.port ==
                  (wrong ? std::optional<std::uint16_t>(853) : std::nullopt));
            CHECK((list.values[0].find(" port=853 ") != std::string::npos) == wrong);
        }
    }

    TEST_CASE("where naming a port can't help, the resolver is left out of advertisements") {
        auto ported = resolver("cpe1.example", {"dot"});
        while ((2 + 8 + to_host(ported.adn).size() + 2 + 2 + 16 + 2 + 8 + 6) % 8 != 0)
            ported.adn = *dns::parse_name("a" + to_host(ported.adn));
        ported.params.port = 8853;
        const std::string padding =
            "odhcpd would pad its Router Advertisement option with 8 octets too many";
        CHECK(why(ported) == padding);
        OdhcpdUse dhcpv6_alone;
        dhcpv6_alone.advertises = false;
        CHECK(list_of(ported, dhcpv6_alone).told == std::vector{ported});

        dns::EncryptedResolver adn_only;
        adn_only.adn = *dns::parse_name("abcd.example");  // 10 octets and 14
        CHECK(why(adn_only) == padding);
        adn_only.adn = *dns::parse_name("abcde.example");
        CHECK(list_of(adn_only).values == std::vector<std::string>{"1  abcde.example"});
    }

    TEST_CASE("HTTPS and QUIC have default ports of their own; a mixture has none") {
        const auto port = [](std::vector<std::string> alpn) {
            for (std::string name = "a.example";; name.insert(0, "b")) {
                auto one = resolver(name, alpn);
                if (alpn.front() != "doq") one.params.dohpath = "/q{?dns}";
                const OdhcpdList list = list_of(one);
                if (list.told.empty()) return std::optional<std::uint16_t>(0);
                if (list.told[0].params.port) return list.told[0].params.port;
            }
        };
        CHECK(port({"h2", "h3"}) == 443);
        CHECK(port({"doq"}) == 853);
        CHECK(port({"dot", "h2"}) == 0);
    }

    TEST_CASE("an ADN alone is told where no DHCPv4 client could be") {
        dns::EncryptedResolver one;
        one.adn = *dns::parse_name("abcde.example");
        CHECK(list_of(one).values == std::vector<std::string>{"1  abcde.example"});
        OdhcpdUse use;
        use.may_serve_dhcpv4 = true;
        CHECK(why(one, use) == "odhcpd would tell DHCPv4 clients too, with an octet too many");
        CHECK(list_of(resolver(well_padded, {"dot"}), use).told.size() == 1);
    }

    TEST_CASE("what odhcpd would cut or does not know is left out and named") {
        auto doh = resolver("d.example", {"h2"});
        for (const char* path : {"/q?a=b{&dns}", "/q'{?dns}"}) {
            CAPTURE(path);
            doh.params.dohpath = path;
            CHECK(why(doh) == "odhcpd would cut its dohpath, which has '=' or a quotation mark");
        }
        auto strange = resolver(well_padded, {"dot"});
        strange.params.other[667] = {1};
        CHECK(why(strange) == "odhcpd does not know its key667");
        auto mandatory = resolver(well_padded, {"dot"});
        mandatory.params.mandatory = {1};
        CHECK_FALSE(why(mandatory).empty());
    }

    TEST_CASE("the preferred ones come first and fill the room of one advertisement") {
        std::vector<dns::EncryptedResolver> many;
        for (std::uint16_t priority = 30; priority > 0; --priority) {
            many.push_back(resolver(well_padded, {"dot"}));
            many.back().priority = priority;
        }
        const OdhcpdList list = odhcpd_list(many, {});
        CHECK(list.told.size() == odhcpd_ra_room / 56);
        CHECK(list.told.front().priority == 1);
        CHECK(list.told.size() + list.left_out.size() == 30);
        CHECK(list.left_out.front().priority == list.told.back().priority + 1);
    }

    TEST_CASE("entries survive a round trip, and nothing else is read") {
        const std::vector<OdhcpdEntry> entries{{"lan", "1  a.example fd77::1 alpn=dot"},
                                               {"guest_2", "2  b.example"}};
        const std::string text = odhcpd_text(entries);
        CHECK(text == "lan 1  a.example fd77::1 alpn=dot\nguest_2 2  b.example\n");
        const auto parsed = parse_odhcpd_text(text);
        REQUIRE(parsed);
        CHECK(*parsed == entries);
        CHECK(parse_odhcpd_text("")->empty());
        for (std::size_t size = 1; size < text.size(); ++size)
            CHECK(bool(parse_odhcpd_text(text.substr(0, size))) == (text[size - 1] == '\n'));
        for (const char* bad : {"\n", "lan\n", "lan \n", "l.n v\n", "lan v'\n", "lan v\"\n",
                                "lan \\\n", "lan v\x01\n", "lan v\xc3\xa4\n", " v\n"}) {
            CAPTURE(bad);
            CHECK_FALSE(parse_odhcpd_text(bad));
        }
    }

    TEST_CASE("of what UCI shows, named sections and values spelt as ours are taken") {
        const UciDhcp shown = parse_uci_show(
            "dhcp.@dnsmasq[0]=dnsmasq\n"
            "dhcp.lan=dhcp\n"
            "dhcp.lan.dnr='9 own.example' '1  a.example fd77::1' '2  b.example'\n"
            "dhcp.lan.dhcp_option='3  c.example'\n"
            "dhcp.@dhcp[1].dnr='1  d.example'\n"
            "network.wan.dnr='1  e.example'\n"
            "dhcp.guest=dhcp\n"
            "dhcp.guest.note='it'\\''s\ndhcp.lan.dnr=1  f.example'\n"
            "dhcp.guest.dnr='  g.example' '1  \"h' '10  i.example'\n");
        CHECK(shown.sections == std::vector<std::string>{"lan", "guest"});
        CHECK(shown.ours == std::vector<OdhcpdEntry>{{"lan", "1  a.example fd77::1"},
                                                     {"lan", "2  b.example"},
                                                     {"guest", "10  i.example"}});
        for (const char* broken : {"", "\n", "dhcp", "dhcp.", "dhcp.lan.dnr", "dhcp.lan.dnr='1  a",
                                   "dhcp.lan.dnr=\\", "uci: Entry not found\n", "=", "' \n"})
            CHECK(parse_uci_show(broken).sections.empty());
    }

    TEST_CASE("of what UCI shows, sections that odhcpd speaks for itself in are served") {
        const UciDhcp shown = parse_uci_show(
            "dhcp.lan=dhcp\n"
            "dhcp.lan.ra='server'\n"
            "dhcp.lan.dhcpv6='server'\n"
            "dhcp.guest.dhcpv6='hybrid'\n"
            "dhcp.wan.ra='relay'\n"
            "dhcp.dmz.dhcpv6='disabled'\n"
            "dhcp.iot.dhcpv4='server'\n"
            "dhcp.@dhcp[5].ra='server'\n"
            "dhcp.old.ndp='hybrid'\n");
        CHECK(shown.served == std::vector<std::string>{"lan", "guest"});
    }

    TEST_CASE("what is told is found again by its spelling") {
        const OdhcpdList list = list_of(resolver(well_padded, {"dot"}));
        REQUIRE(list.values.size() == 1);
        const UciDhcp shown = parse_uci_show("dhcp.lan.dnr='" + list.values[0] + "'\n");
        CHECK(shown.ours == std::vector<OdhcpdEntry>{{"lan", list.values[0]}});
    }

    TEST_CASE("a batch takes away what was ours and adds what is") {
        const std::vector<OdhcpdEntry> before{{"lan", "1  a.example"}};
        const std::vector<OdhcpdEntry> after{{"lan", "1  a.example"}, {"guest", "1  b.example"}};
        CHECK(uci_batch(before, after) ==
              "del_list dhcp.lan.dnr='1  a.example'\n"
              "add_list dhcp.lan.dnr='1  a.example'\n"
              "add_list dhcp.guest.dnr='1  b.example'\n");
        CHECK(uci_batch({}, {}).empty());
    }
}

}  // namespace
}  // namespace porchlight::dhcp
