#include "agent/standing.h"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "agent/announced.h"
#include "core/writer.h"
#include "hex.h"

namespace porchlight::agent {
namespace {

Buffer octets(std::string_view text) {
    return {text.begin(), text.end()};
}

/// A home whose guests are told what the WAN offers, and whose family of this router.
struct Home {
    Home() {
        config.resolver = ResolverConfig{};
        config.resolver->adn = *dns::parse_name("cpe1.example");
        config.wan = {{"eth0"}};
        config.lan = {{"br-lan"}, {"br-guest"}};
        config.lan[0].uci_section = "lan";
        config.lan[1].uci_section = "guest";
        config.lan[1].mode = Mode::relay;
        config.announce.ra = RaCarrier::odhcpd;
    }
    bool router(const char* link = "br-lan") const {
        return router_stands(link, config, world, advertisers);
    }
    bool relayed() const { return relayed_stands(config, world, advertisers); }
    void advertised(const char* link, const char* option) {
        ra::Announced told;
        told.interface = link;
        told.source = *parse_ipv6("fe80::1");
        told.options = {hex(option)};
        Writer out;
        write(out, std::vector<ra::Announced>{told});
        advertisers.adopt(out.view(), {});
    }

    Config config;
    World world;
    asio::io_context loop;
    SystemTime time;
    SystemRandom random;
    Advertisers advertisers{loop.get_executor(),
                            time,
                            random,
                            {.announced = [](Bytes) {}, .prefixes = [](Bytes) {}},
                            [] {}};
};

// "cpe1.example." alone.
constexpr const char* router_option =
    "9004 0001 00000708 000e 0463706531076578616d706c6500 00000000";

TEST_SUITE("agent/standing") {
    TEST_CASE("nothing stands where no carrier tells") {
        const Home home;
        CHECK(!home.router());
        CHECK(!home.relayed());
    }

    TEST_CASE("what dnsmasq tells stands, link by link") {
        Home home;
        home.world.dhcp_options = octets("tag:br-guest,162,00:01\n");
        CHECK(home.relayed());
        CHECK(!home.router());
        home.world.dhcp_options =
            octets("tag:br-lan,162,00:04:63:70:65:31:07:65:78:61:6d:70:6c:65:00\n");
        CHECK(!home.relayed());
        CHECK(home.router());
        CHECK(!home.router("br-guest"));
    }

    TEST_CASE("what odhcpd tells stands, section by section") {
        Home home;
        home.world.odhcpd = octets("guest 1  dns.isp.test\n");
        CHECK(home.relayed());
        CHECK(!home.router());
        home.world.odhcpd = octets("lan 1  cpe1.example fd77::1\n");
        CHECK(!home.relayed());
        CHECK(home.router());
    }

    TEST_CASE("what Router Advertisements told stands, link by link") {
        Home guests;
        guests.advertised("br-guest", router_option);
        CHECK(guests.relayed());
        CHECK(!guests.router());
        Home family;
        family.advertised("br-lan", router_option);
        CHECK(!family.relayed());
        CHECK(family.router());
        family.config.resolver.reset();
        CHECK(!family.router());
    }
}

}  // namespace
}  // namespace porchlight::agent
