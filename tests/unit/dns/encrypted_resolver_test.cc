#include "dns/encrypted_resolver.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dns {
namespace {

EncryptedResolver resolver(const SvcParams& params) {
    return {1, *parse_name("dns.example"), {*parse_ipv4("192.0.2.53")}, params};
}

TEST_SUITE("dns/encrypted_resolver") {
    TEST_CASE("priority 0 makes an entry useless, having nothing but a name does not") {
        SvcParams dot;
        dot.alpn = {"dot"};
        CHECK(!why_not_usable(resolver(dot)));
        EncryptedResolver alias = resolver(dot);
        alias.priority = 0;
        CHECK(*why_not_usable(alias) == "priority 0 has no meaning for a resolver");
        EncryptedResolver adn_only{1, *parse_name("dns.example"), {}, {}};
        CHECK(is_adn_only(adn_only));
        CHECK(!why_not_usable(adn_only));
        adn_only.addresses = {*parse_ipv4("192.0.2.53")};
        CHECK(why_not_usable(adn_only));
    }

    TEST_CASE("an address spelt as a name is kept, and is of no use: no certificate proves it") {
        SvcParams dot;
        dot.alpn = {"dot"};
        EncryptedResolver numeric = resolver(dot);
        const auto octets = hex("03 313932 01 30 01 32 02 3533 00");  // 192.0.2.53
        Reader in(octets);
        numeric.adn = read_adn(in);
        CHECK(in.finished());
        CHECK(*why_not_usable(numeric) == "its name reads as an address");
        CHECK(*why_not_sendable(numeric) == "its name reads as an address");
        CHECK(why_not_usable(EncryptedResolver{1, numeric.adn, {}, {}}));
    }

    TEST_CASE("nothing is sent that no host could use") {
        SvcParams dot;
        dot.alpn = {"dot"};
        CHECK(!why_not_sendable(resolver(dot)));
        EncryptedResolver nameless = resolver(dot);
        nameless.adn = Name();
        CHECK(*why_not_sendable(nameless) == "its name is no host's name");
        for (const SvcParamKey hint : {key_ipv4hint, key_ipv6hint}) {
            SvcParams hinted = dot;
            hinted.other[hint] = hex("c0000235");
            CHECK(*why_not_sendable(resolver(hinted)) == "it carries an address hint");
        }
        dot.port = 0;
        CHECK(*why_not_sendable(resolver(dot)) == "port 0 can't be connected to");
    }

    TEST_CASE("nothing is sent that makes systemd refuse the entry and its neighbours") {
        SvcParams mandatory;
        mandatory.alpn = {"dot"};
        mandatory.mandatory = {key_alpn};
        CHECK(*why_not_sendable(resolver(mandatory)) == "it lists mandatory keys");
        SvcParams dot;
        dot.alpn = {"dot"};
        EncryptedResolver underscored = resolver(dot);
        underscored.adn = *parse_name("dns_1.example");
        CHECK(!why_not_usable(underscored));
        CHECK(*why_not_sendable(underscored) ==
              "its name has an underscore, for which systemd discards the option");
        SvcParams path;
        path.alpn = {"h2"};
        for (const char* legal : {"/b\xc3\xbc"
                                  "cher{?dns}",
                                  "/q{?dns,ct}", "/%7Eu{?dns}", "/a|b{?dns}"}) {
            CAPTURE(legal);
            path.dohpath = legal;
            CHECK(!why_not_usable(path));
            CHECK(*why_not_sendable(resolver(path)) ==
                  "its dohpath has a character for which systemd discards the option");
        }
        path.dohpath = "/-._~:/?[]@!$&'()*+;=Zz09{?dns}";
        CHECK(!why_not_sendable(resolver(path)));
    }

    TEST_CASE("the order is by priority, and as given among equals") {
        EncryptedResolver a = resolver({}), b = a, c = a;
        a.priority = 2;
        b.priority = 1;
        c.priority = 2;
        c.adn = *parse_name("c.example");
        CHECK(by_priority({a, c, b}) == std::vector{b, a, c});
        std::vector<EncryptedResolver> many;
        for (int i = 0; i < 64; ++i) {
            many.push_back(resolver({}));
            many.back().adn = *parse_name(std::to_string(i));
        }
        CHECK(by_priority(many) == many);
    }

    TEST_CASE("RFC 9463 section 3.1.5: alpn and port are understood, mandatory or not") {
        SvcParams params;
        params.alpn = {"dot"};
        params.port = 8853;
        params.mandatory = {key_alpn, key_port};
        CHECK(!why_not_usable(resolver(params)));
    }

    TEST_CASE("RFC 9463 section 3.1.5: what names HTTP has a dohpath") {
        for (const char* http : {"h2", "h3", "http/1.1"}) {
            SvcParams params;
            params.alpn = {"dot", http};
            CHECK(*why_not_usable(resolver(params)) == "HTTP in alpn without a dohpath");
            params.dohpath = "/dns-query{?dns}";
            CHECK(!why_not_usable(resolver(params)));
        }
    }

    TEST_CASE("RFC 9463 section 3.1.5: address hints are no part of DNR") {
        for (const auto& hint :
             {hex("0004 0004 c0000235"), hex("0006 0010 20010db8 00000000 00000000 00000053")}) {
            Reader in(hint);
            (void)read_dnr_params(in);
            CHECK(in.failed());
        }
    }

    TEST_CASE("RFC 9463 section 3.1.8: addresses are whole, and one is left of them") {
        const auto read = [](const Buffer& octets, std::size_t count) {
            Reader in(octets);
            const auto addresses = read_addresses<Ipv4>(in, count);
            return std::pair{addresses.size(), in.failed()};
        };
        CHECK(read(hex("c0000235 c0000236"), 2) == std::pair{std::size_t{2}, false});
        CHECK(read(hex("c0000235 c0000236"), 1) == std::pair{std::size_t{1}, false});
        CHECK(read(hex("c0000235 c00002"), 2).second);
        CHECK(read(hex("7f000001 c0000235"), 2) == std::pair{std::size_t{1}, false});
        CHECK(read(hex("7f000001"), 1).second);
        CHECK(read(hex("f0000001"), 1) == std::pair{std::size_t{1}, false});  // heard, never told
        CHECK(read(hex("c0000235"), 0).second);
    }

    TEST_CASE("only one family's addresses that hosts could use are announced, in order") {
        EncryptedResolver both = resolver({});
        both.addresses = {*parse_ipv6("2001:db8::1"), *parse_ipv4("127.0.0.1"),
                          *parse_ipv4("192.0.2.2"), *parse_ipv4("192.0.2.1")};
        CHECK(announceable<Ipv4>(both) ==
              std::vector{*parse_ipv4("192.0.2.2"), *parse_ipv4("192.0.2.1")});
        CHECK(announceable<Ipv6>(both) == std::vector{*parse_ipv6("2001:db8::1")});
    }
}

}  // namespace
}  // namespace porchlight::dns
