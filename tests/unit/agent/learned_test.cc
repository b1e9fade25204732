#include "agent/learned.h"

#include <doctest/doctest.h>

#include "agent/status_offers.h"

namespace porchlight::agent {
namespace {

using std::chrono::seconds;
constexpr Clock::time_point now{seconds(100000)};
const Boot boot{"this", seconds(500)};

Config home() {
    Config config;
    config.lan = {{"br-lan"}};
    config.wan = {{"eth0"}, {"wwan0"}};
    return config;
}

WanRecord record(OfferSource source) {
    WanRecord made;
    made.interface = "eth0";
    made.source = source;
    made.told_by = "a test";
    made.lifetime = seconds(3600);
    made.received = seconds(400);
    made.boot = "this";
    return made;
}

WanRecord by_dhcpv4(const char* option_162) {
    WanRecord made = record(OfferSource::dhcpv4);
    made.v4 = {{162, *octets_from_hex(option_162)}};
    return made;
}

WanRecord by_dhcpv6(const char* run) {
    WanRecord made = record(OfferSource::dhcpv6);
    made.v6 = *octets_from_hex(run);
    return made;
}

std::pair<std::string, Buffer> part(const WanRecord& record) {
    const std::string json = to_json(record);
    return {wan_record_name(record.interface, record.source), {json.begin(), json.end()}};
}

std::vector<Learned> learned(std::initializer_list<WanRecord> records, Boot at = boot) {
    StoredParts parts;
    for (const WanRecord& one : records) parts.push_back(part(one));
    return learned_from(parts, home(), at, now);
}

constexpr const char* dns_option = "0015 0001 05 03646e7300 04 c0000235 0001 0004 03 646f74";
constexpr const char* dns_run = "0090 0009 0002 0005 03 646e74 00";

TEST_SUITE("agent/learned") {
    TEST_CASE("an offer ends with the lease that it came by") {
        const auto all = learned({by_dhcpv4(dns_option)});
        REQUIRE(all.size() == 1);
        REQUIRE(all[0].offers.size() == 1);
        const Offer& offer = all[0].offers[0];
        CHECK(offer.wan == "eth0");
        CHECK(offer.source == OfferSource::dhcpv4);
        CHECK(dns::to_text(offer.resolver.adn) == "dns.");
        // Received 100 seconds ago, for 3600.
        CHECK(offer.until == now + seconds(3500));
        CHECK(offers_of(all) == all[0].offers);
    }

    TEST_CASE("all ones, and no lifetime, are until it is taken back") {
        WanRecord endless = by_dhcpv4(dns_option);
        endless.lifetime = seconds(0xffffffff);
        CHECK(!learned({endless}).at(0).offers.at(0).until);
        endless.lifetime.reset();
        CHECK(!learned({endless}).at(0).offers.at(0).until);
    }

    TEST_CASE("DHCPv6 without a lease: the information's own time, else a day") {
        WanRecord informed = by_dhcpv6("0020 0004 00000258 0090 0009 0002 0005 03 646e74 00");
        informed.lifetime.reset();
        CHECK(learned({informed}).at(0).offers.at(0).until == now + seconds(560));
        WanRecord silent = by_dhcpv6(dns_run);
        silent.lifetime.reset();
        CHECK(learned({silent}).at(0).offers.at(0).until == now + seconds(86300 + 8640));
        // A server can't have its information asked for more often than every ten minutes.
        WanRecord hasty = by_dhcpv6("0020 0004 00000001 0090 0009 0002 0005 03 646e74 00");
        hasty.lifetime.reset();
        CHECK(learned({hasty}).at(0).offers.at(0).until == now + seconds(560));
        WanRecord endless = by_dhcpv6("0020 0004 ffffffff 0090 0009 0002 0005 03 646e74 00");
        endless.lifetime.reset();
        CHECK(!learned({endless}).at(0).offers.at(0).until);
        CHECK(learned({by_dhcpv6(dns_run)}).at(0).offers.at(0).until == now + seconds(3500));
    }

    TEST_CASE("what was noted before the machine was started again counts as nothing") {
        CHECK(learned({by_dhcpv4(dns_option)}, {"another", seconds(500)}).empty());
    }

    TEST_CASE("an interface that is not in wan counts as nothing") {
        WanRecord other = by_dhcpv4(dns_option);
        other.interface = "eth7";
        CHECK(learned({other}).empty());
    }

    TEST_CASE("a record that can't be read, or is not its file's, discards itself alone") {
        StoredParts parts{part(by_dhcpv4(dns_option)), part(by_dhcpv6(dns_run))};
        parts[0].second.pop_back();
        parts[0].second.back() = '!';
        parts.push_back(part(by_dhcpv4(dns_option)));
        parts.back().first = "wwan0.dhcpv4.json";
        const auto all = learned_from(parts, home(), boot, now);
        REQUIRE(all.size() == 1);
        CHECK(all[0].source == OfferSource::dhcpv6);
    }

    TEST_CASE("what is malformed is told with its octets, and offers nothing") {
        const auto all = learned({by_dhcpv4("0015 0001"), by_dhcpv6("0090 0002 0001")});
        CHECK(all[0].offers.empty());
        CHECK(all[0].discarded ==
              std::vector<std::string>{"DHCPv4 option 162: ends too early at octet 2 (00150001)"});
        CHECK(all[1].discarded.size() == 1);
        std::string long_option = "0001";
        for (int i = 0; i < 100; ++i) long_option += "ff";
        CHECK(learned({by_dhcpv4(long_option.c_str())})[0].discarded.at(0).ends_with("ff...)"));
    }

    TEST_CASE("the user's resolvers come in their order, each with its own lifetime") {
        WanRecord user = record(OfferSource::user);
        user.interface = "wwan0";
        user.lifetime.reset();
        user.resolvers = *resolvers_from_json(
            R"([{"adn": "a.test", "lifetime": 600}, {"adn": "b.test"},
                {"adn": "c.test", "priority": 9}, {"addresses": ["192.0.2.1"]}])");
        const auto all = learned({user});
        REQUIRE(all.at(0).offers.size() == 3);
        CHECK(all[0].offers[0].resolver.priority == 1);
        CHECK(all[0].offers[0].until == now + seconds(500));
        CHECK(all[0].offers[1].resolver.priority == 2);
        CHECK(!all[0].offers[1].until);
        CHECK(all[0].offers[2].resolver.priority == 9);
        CHECK(all[0].discarded == std::vector<std::string>{"/3/adn: missing"});
    }

    TEST_CASE("what routers advertise stands behind what was noted, a row for each WAN") {
        const auto noted = learned({by_dhcpv4(dns_option)});
        Offer heard = noted[0].offers[0];
        heard.source = OfferSource::ra;
        Offer other = heard;
        other.wan = "wwan0";
        const auto all = with_advertised(noted, {heard, other, heard});
        REQUIRE(all.size() == 3);
        CHECK(all[0] == noted[0]);
        CHECK(all[1].wan == "eth0");
        CHECK(all[1].source == OfferSource::ra);
        CHECK(all[1].offers == std::vector{heard, heard});
        CHECK(all[2].offers == std::vector{other});
    }

    TEST_CASE("status: what is left of each offer, what is not told, what is discarded") {
        WanRecord v4 = by_dhcpv4(dns_option);
        v4.v4.push_back({6, {192, 0, 2, 53}});
        auto all = learned({v4, by_dhcpv6("0090 0002 0001")});
        const RefusedOffer refused{all[0].offers[0], "is\nno good"};
        const std::string json = offers_json({all, {refused}, now + seconds(3000)});
        const std::string text = offers_text(json);
        CHECK(text ==
              "\nOffered to this router\n"
              "  eth0 by dhcpv4 (a test):\n"
              "    1 dns. at 192.0.2.53 by dot, for another 500 s\n"
              "    hosts are not told: dns.: is\\x0ano good\n"
              "    in clear text: 192.0.2.53\n"
              "  eth0 by dhcpv6 (a test): no encrypted resolver\n"
              "    discarded: DHCPv6 option 144: ends too early at octet 2 (0001)\n");
        CHECK(*offers_text_of_status("{\"offers\": " + json + "}") == text);
        CHECK(!offers_text_of_status("{}"));
        // What has ended is not offered.
        CHECK(offers_text(offers_json({all, {}, now + seconds(3500)}))
                  .find("eth0 by dhcpv4 (a test): no encrypted resolver") != std::string::npos);
        CHECK(offers_text(offers_json({})).empty());
    }
}

}  // namespace
}  // namespace porchlight::agent
