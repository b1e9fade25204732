#include "agent/offers.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

using std::chrono::seconds;
constexpr Clock::time_point start{};

dns::EncryptedResolver resolver(std::uint16_t priority, const char* adn,
                                std::initializer_list<const char*> addresses) {
    dns::EncryptedResolver made;
    made.priority = priority;
    made.adn = *dns::parse_name(adn);
    for (const char* one : addresses) made.addresses.push_back(*parse_address(one));
    made.params.alpn = {"dot"};
    return made;
}

Offer offer(const char* wan, OfferSource source, dns::EncryptedResolver resolver,
            std::optional<Clock::time_point> until = std::nullopt) {
    return {wan, source, std::move(resolver), until};
}

net::Link link(const char* name,
               std::initializer_list<std::pair<const char*, unsigned>> addresses) {
    net::Link made;
    made.name = name;
    for (const auto& [text, prefix] : addresses) {
        net::LinkAddress address;
        address.address = *parse_address(text);
        address.prefix = prefix;
        made.addresses.push_back(address);
    }
    return made;
}

Config home() {
    Config config;
    config.lan = {{"br-lan"}};
    config.wan = {{"eth0"}, {"wwan0"}};
    return config;
}

const std::vector<net::Link> links{link("eth0", {{"198.51.100.2", 24}, {"2001:db8:1::2", 64}}),
                                   link("br-lan", {{"192.168.1.1", 23}, {"fd00::1", 60}})};

Sifted sift_home(std::vector<Offer> offers) {
    return sift(home(), links, offers);
}

/// "1 dns. eth0, 2 dnt. wwan0"
std::string told(const Sifted& sifted) {
    std::string text;
    for (const Offer& one : sifted.told)
        text += (text.empty() ? "" : ", ") + std::to_string(one.resolver.priority) + " " +
                dns::to_text(one.resolver.adn) + " " + one.wan;
    return text;
}

std::string why(std::initializer_list<const char*> addresses) {
    const Sifted sifted =
        sift_home({offer("eth0", OfferSource::dhcpv4, resolver(1, "dns.isp.test", addresses))});
    return sifted.refused.empty() ? "" : sifted.refused[0].why;
}

TEST_SUITE("agent/offers") {
    TEST_CASE("what the ISP offers is told as it is offered") {
        const Sifted sifted = sift_home(
            {offer("eth0", OfferSource::dhcpv4, resolver(7, "dns.isp.test", {"192.0.2.53"}),
                   start + seconds(60)),
             offer("eth0", OfferSource::dhcpv6, resolver(7, "dns.isp.test", {"2001:db8::53"}))});
        CHECK(told(sifted) == "7 dns.isp.test. eth0, 7 dns.isp.test. eth0");
        CHECK(sifted.told[0].until == start + seconds(60));
        CHECK(!sifted.told[1].until);
        CHECK(sifted.refused.empty());
    }

    TEST_CASE("the name alone is told as the name alone") {
        dns::EncryptedResolver name_only;
        name_only.adn = *dns::parse_name("dns.isp.test");
        const Sifted sifted = sift_home({offer("eth0", OfferSource::dhcpv6, name_only)});
        REQUIRE(sifted.told.size() == 1);
        CHECK(dns::is_adn_only(sifted.told[0].resolver));
    }

    TEST_CASE("addresses that mean nothing to hosts, or lead back home, are not told") {
        CHECK(why({"fe80::53"}) == "fe80::53 is link-local: hosts are on another link");
        CHECK(why({"169.254.0.53"}) == "169.254.0.53 is link-local: hosts are on another link");
        CHECK(why({"198.51.100.2"}) == "198.51.100.2 is this router's own");
        CHECK(why({"fd00::1"}) == "fd00::1 is this router's own");
        CHECK(why({"192.168.0.53"}) == "192.168.0.53 is within the home, on br-lan");
        CHECK(why({"fd00:0:0:f::53"}) == "fd00:0:0:f::53 is within the home, on br-lan");
        CHECK(why({"0.1.2.3"}) == "0.1.2.3 is no address that hosts could reach");
        // One bit further it is somebody else's; and a neighbour on the WAN may well serve.
        CHECK(why({"192.168.2.53"}).empty());
        CHECK(why({"fd00:0:0:10::53"}).empty());
        CHECK(why({"198.51.100.3"}).empty());
    }

    TEST_CASE("an offer keeps the addresses that are good, and the others are named") {
        const Sifted sifted =
            sift_home({offer("eth0", OfferSource::dhcpv6,
                             resolver(1, "dns.isp.test", {"fe80::53", "2001:db8::53"}))});
        REQUIRE(sifted.told.size() == 1);
        CHECK(sifted.told[0].resolver.addresses ==
              std::vector<IpAddress>{*parse_address("2001:db8::53")});
        REQUIRE(sifted.refused.size() == 1);
        CHECK(sifted.refused[0].why == "fe80::53 is link-local: hosts are on another link");
    }

    TEST_CASE("what hosts can't use is not told") {
        dns::EncryptedResolver port_zero = resolver(1, "dns.isp.test", {"192.0.2.53"});
        port_zero.priority = 0;
        dns::EncryptedResolver no_path = resolver(1, "dns.isp.test", {"192.0.2.53"});
        no_path.params.alpn = {"h2"};
        dns::EncryptedResolver blocked = resolver(1, "dns.isp.test", {"192.0.2.53"});
        blocked.params.port = 25;
        for (const auto& one : {port_zero, no_path, blocked}) {
            const Sifted sifted = sift_home({offer("eth0", OfferSource::dhcpv4, one)});
            CHECK(sifted.told.empty());
            REQUIRE(sifted.refused.size() == 1);
            CHECK(!sifted.refused[0].why.empty());
        }
    }

    TEST_CASE("an interface that is not in wan offers nothing") {
        const Sifted sifted = sift_home(
            {offer("br-lan", OfferSource::dhcpv4, resolver(1, "dns.isp.test", {"192.0.2.53"}))});
        CHECK(sifted.told.empty());
        CHECK(sifted.refused.at(0).why == "br-lan is no interface of wan");
    }

    TEST_CASE("WANs in the configuration's order, the user before DHCP, DHCP before RA") {
        const Sifted sifted =
            sift_home({offer("wwan0", OfferSource::user, resolver(1, "e", {"192.0.2.5"})),
                       offer("eth0", OfferSource::ra, resolver(1, "d", {"2001:db8::4"})),
                       offer("eth0", OfferSource::dhcpv6, resolver(2, "c", {"2001:db8::3"})),
                       offer("eth0", OfferSource::dhcpv4, resolver(1, "b", {"192.0.2.2"})),
                       offer("eth0", OfferSource::user, resolver(9, "a", {"192.0.2.1"}))});
        CHECK(told(sifted) == "9 a. eth0, 10 b. eth0, 11 c. eth0, 12 d. eth0, 13 e. wwan0");
    }

    TEST_CASE("priorities stay where they keep the order") {
        const Sifted sifted =
            sift_home({offer("eth0", OfferSource::dhcpv4, resolver(1, "a", {"192.0.2.1"})),
                       offer("eth0", OfferSource::dhcpv4, resolver(5, "b", {"192.0.2.2"})),
                       offer("wwan0", OfferSource::dhcpv4, resolver(7, "c", {"192.0.2.3"})),
                       offer("wwan0", OfferSource::dhcpv4, resolver(9, "d", {"192.0.2.4"}))});
        CHECK(told(sifted) == "1 a. eth0, 5 b. eth0, 7 c. wwan0, 9 d. wwan0");
        const Sifted last =
            sift_home({offer("eth0", OfferSource::dhcpv4, resolver(65535, "a", {"192.0.2.1"})),
                       offer("wwan0", OfferSource::dhcpv4, resolver(1, "b", {"192.0.2.2"}))});
        CHECK(told(last) == "1 a. eth0, 2 b. wwan0");
        const Sifted alike =
            sift_home({offer("eth0", OfferSource::dhcpv4, resolver(65534, "a", {"192.0.2.1"})),
                       offer("wwan0", OfferSource::dhcpv4, resolver(3, "b", {"192.0.2.2"})),
                       offer("wwan0", OfferSource::dhcpv4, resolver(3, "c", {"192.0.2.3"})),
                       offer("wwan0", OfferSource::dhcpv4, resolver(9, "d", {"192.0.2.4"}))});
        CHECK(told(alike) == "1 a. eth0, 2 b. wwan0, 2 c. wwan0, 3 d. wwan0");
    }

    TEST_CASE("the same resolver from two sources is told once, until the later end") {
        const auto same = resolver(1, "dns.isp.test", {"2001:db8::53"});
        auto again = same;
        again.priority = 3;
        const Sifted sifted =
            sift_home({offer("eth0", OfferSource::ra, same, start + seconds(90)),
                       offer("eth0", OfferSource::dhcpv6, again, start + seconds(60))});
        REQUIRE(sifted.told.size() == 1);
        CHECK(sifted.told[0].source == OfferSource::dhcpv6);
        CHECK(sifted.told[0].resolver.priority == 3);
        CHECK(sifted.told[0].until == start + seconds(90));
        const Sifted endless = sift_home({offer("eth0", OfferSource::ra, same),
                                          offer("eth0", OfferSource::dhcpv6, again, start)});
        CHECK(!endless.told.at(0).until);
    }

    TEST_CASE("of one source by one WAN so many are told, the preferred ones") {
        std::vector<Offer> many;
        for (std::uint16_t i = offers_per_source_max + 1; i > 0; --i)
            many.push_back(offer("eth0", OfferSource::dhcpv4,
                                 resolver(i, ("r" + std::to_string(i)).c_str(), {"192.0.2.53"})));
        many.push_back(offer("eth0", OfferSource::ra, resolver(1, "by-ra", {"2001:db8::53"})));
        const Sifted sifted = sift_home(many);
        CHECK(sifted.told.size() == offers_per_source_max + 1);
        CHECK(sifted.told.front().resolver.adn == *dns::parse_name("r1"));
        REQUIRE(sifted.refused.size() == 1);
        CHECK(sifted.refused[0].offer.resolver.adn == *dns::parse_name("r9"));
        CHECK(sifted.refused[0].why == "there are 8 before it");
    }

    TEST_CASE("an offer is over at its end") {
        const auto any = resolver(1, "dns.isp.test", {"192.0.2.53"});
        const std::vector<Offer> offers{offer("eth0", OfferSource::dhcpv4, any, start + seconds(9)),
                                        offer("eth0", OfferSource::ra, any, start + seconds(5)),
                                        offer("eth0", OfferSource::user, any)};
        CHECK(first_end(offers) == start + seconds(5));
        CHECK(still_offered(offers, start + seconds(4)).size() == 3);
        CHECK(still_offered(offers, start + seconds(5)).size() == 2);
        const std::vector<Offer> last = still_offered(offers, start + seconds(9));
        REQUIRE(last.size() == 1);
        CHECK(!first_end(last));
    }
}

}  // namespace
}  // namespace porchlight::agent
