#include "agent/discover_told.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::agent::discover {
namespace {

const Sender router{*parse_address("192.168.77.1"), hex("020000000001")};
const Sender router6{*parse_address("fe80::1"), {}};

const Buffer v4_instance =
    hex("001a 0001 0a 03646e73047465737400 04 c0a84d01"  // dns.test
        "0001 0004 03 646f74");                          // alpn=dot
const Buffer v6_option =
    hex("0001 000a 03646e73047465737400 0010 fd770000000000000000000000000001"
        "0001 0004 03 646f74");
const Buffer adn_only = hex("0002 000a 03646e73047465737400");

/// An RA option for dns.test with that lifetime.
Buffer ra_option(std::string_view lifetime) {
    Buffer option = hex("90 06 0001");
    for (std::uint8_t octet : hex(lifetime)) option.push_back(octet);
    for (std::uint8_t octet : hex("000a 03646e73047465737400"
                                  "0010 fd770000000000000000000000000001 0008"
                                  "0001 0004 03 646f74"))
        option.push_back(octet);
    option.resize(48);
    return option;
}

TEST_SUITE("agent/discover_told") {
    TEST_CASE("a DHCPv4 answer tells of resolvers for its lease") {
        dhcp::V4Message answer;
        answer.options[162] = v4_instance;
        answer.options[dhcp::v4_code::dns_servers] = hex("c0a84d01 7f000001 c0a84d02");
        answer.options[dhcp::v4_code::lease_time] = hex("00000e10");
        const Told told = told_by(answer, router);
        CHECK(told.carrier == Carrier::dhcpv4);
        CHECK(told.plain ==
              std::vector{*parse_address("192.168.77.1"), *parse_address("192.168.77.2")});
        REQUIRE(told.offers.size() == 1);
        CHECK(told.offers[0].octets == v4_instance);
        CHECK(!told.offers[0].malformed);
        REQUIRE(told.offers[0].resolvers.size() == 1);
        const ResolverRecord& resolver = told.offers[0].resolvers[0].told;
        CHECK(dns::to_host(*resolver.adn) == "dns.test");
        CHECK(resolver.lifetime == std::chrono::hours(1));
    }

    TEST_CASE("a malformed option is kept, with its octets and the reason") {
        dhcp::V4Message answer;
        answer.options[162] = hex("0027 0001");
        const Told told = told_by(answer, router);
        REQUIRE(told.offers.size() == 1);
        CHECK(told.offers[0].octets == hex("00270001"));
        REQUIRE(told.offers[0].malformed);
        CHECK(told.offers[0].malformed->find("octet") != std::string::npos);
        CHECK(told.offers[0].resolvers.empty());
    }

    TEST_CASE("an option without octets is malformed, no option is nothing") {
        dhcp::V4Message answer;
        CHECK(told_by(answer, router).offers.empty());
        answer.options[162] = {};
        REQUIRE(told_by(answer, router).offers.size() == 1);
        CHECK(told_by(answer, router).offers[0].malformed);
    }

    TEST_CASE("of DHCPv6 each option is an offer of its own") {
        dhcp::V6Message answer{dhcp::v6_type::reply, 1, {}};
        answer.options.push_back({144, v6_option});
        answer.options.push_back({144, hex("00")});
        answer.options.push_back({144, adn_only});
        answer.options.push_back({23, hex("fd770000000000000000000000000001")});
        answer.options.push_back({32, hex("00000708")});
        const Told told = told_by(answer, router6);
        CHECK(told.plain == std::vector{*parse_address("fd77::1")});
        REQUIRE(told.offers.size() == 3);
        CHECK(told.offers[0].resolvers.at(0).told.lifetime == std::chrono::minutes(30));
        CHECK(told.offers[1].malformed);
        CHECK(told.offers[2].resolvers.at(0).told.addresses.empty());
    }

    TEST_CASE("options of the draft stand together, under its name") {
        dhcp::V6Message answer{dhcp::v6_type::reply, 1, {}};
        answer.options.push_back({65001, hex("01 03646e73047465737400")});
        answer.options.push_back({65002, hex("01 00 0000 fd770000000000000000000000000001")});
        const Told told = told_by(answer, router6);
        REQUIRE(told.offers.size() == 1);
        CHECK(told.offers[0].format == dns::Format::draft_btw_11);
        REQUIRE(told.offers[0].resolvers.size() == 1);
        CHECK(told.offers[0].resolvers[0].told.addresses.size() == 1);
    }

    TEST_CASE("advertisements add up; what is told again replaces what it was") {
        std::vector<Told> all;
        ra::Advertisement first;
        first.options = {ra_option("0000012c"), hex("19 03 0000 00000258 fd77000000000000"
                                                    "0000000000000001")};
        add(all, told_by(first, router6));
        ra::Advertisement second;
        second.options = {ra_option("00000000")};
        add(all, told_by(second, {router6.address, hex("020000000001")}));
        REQUIRE(all.size() == 1);
        CHECK(all[0].plain.size() == 1);
        CHECK(all[0].from.hardware_address == hex("020000000001"));
        REQUIRE(all[0].offers.size() == 1);
        CHECK(all[0].offers[0].resolvers.at(0).told.why_not_usable == "withdrawn");

        add(all, told_by(first, {*parse_address("fe80::2"), {}}));
        CHECK(all.size() == 2);
    }

    TEST_CASE("a plain resolver that is taken back is none") {
        ra::Advertisement heard;
        heard.options = {hex("19 03 0000 00000000 fd77000000000000 0000000000000001")};
        CHECK(told_by(heard, router6).plain.empty());
    }

    TEST_CASE("more senders and offers than a network has are not looked at") {
        std::vector<Told> all;
        ra::Advertisement heard;
        for (std::size_t i = 0; i < offers_max + 5; ++i)
            heard.options.push_back(ra_option("00000001"));
        for (std::uint8_t i = 1; i < senders_max + 5; ++i)
            add(all, told_by(heard, {IpAddress(Ipv4{{192, 0, 2, i}}), {}}));
        CHECK(all.size() == senders_max);
        CHECK(all[0].offers.size() <= offers_max);
    }

    TEST_CASE("what systemd makes of it is said") {
        ResolverRecord resolver;
        resolver.priority = 1;
        resolver.addresses = {*parse_address("192.168.77.1")};
        resolver.params.alpn = {"dot"};
        CHECK(remarks(Carrier::dhcpv4, resolver).empty());
        resolver.params.alpn = {"h2"};
        resolver.params.dohpath = "/a,b{?dns}";
        resolver.params.mandatory = {1};
        CHECK(remarks(Carrier::dhcpv4, resolver).size() == 3);
        resolver.addresses.clear();
        CHECK(remarks(Carrier::ra, resolver).size() == 1);
        CHECK(remarks(Carrier::svcb, resolver).empty());
    }
}

}  // namespace
}  // namespace porchlight::agent::discover
