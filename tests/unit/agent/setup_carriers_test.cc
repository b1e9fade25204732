#include "agent/setup_carriers.h"

#include <doctest/doctest.h>

namespace porchlight::agent::setup {
namespace {

struct Home {
    net::Link link;
    Found found;
    std::optional<DnsmasqFound> dnsmasq = DnsmasqFound{};
    AnnounceConfig announce;

    Home() {
        link.name = "br-lan";
        link.addresses = {{*parse_address("192.168.1.1"), 24}, {*parse_address("fd00::1"), 64}};
        announce.dhcpv4 = announce.dhcpv6 = DhcpCarrier::dnsmasq;
        announce.ra = RaCarrier::supplement;
    }
    void range(const char* value) { dnsmasq->ranges.push_back(*parse_dhcp_range(value)); }
    std::string why(const char* carrier) const {
        return why_silent(announce, carrier, link, found, dnsmasq);
    }
};

const char* const no_ra =
    "no RA daemon was found on br-lan; hosts are told by RA once there is one, or set announce.ra "
    "to \"full\"";

TEST_SUITE("agent/setup_carriers") {
    TEST_CASE("dnsmasq tells by DHCP where it has a range") {
        Home home;
        CHECK(home.why("dhcpv4") == "dnsmasq has no dhcp-range for IPv4 on br-lan");
        CHECK(home.why("dhcpv6") == "dnsmasq has no dhcp-range for IPv6 on br-lan");
        home.range("192.168.2.100,192.168.2.199");
        home.range("fd00::,ra-only");
        CHECK(home.why("dhcpv4") != "");
        CHECK(home.why("dhcpv6") != "");
        home.range("192.168.1.100,192.168.1.199");
        CHECK(home.why("dhcpv4") == "");
        CHECK(home.why("dhcpv6") != "");
        home.range("fd00::100,fd00::1ff");
        CHECK(home.why("dhcpv6") == "");
        home.dnsmasq->no_dhcpv6 = {"br-*"};
        CHECK(home.why("dhcpv4") == "");
        CHECK(home.why("dhcpv6") != "");
        home.dnsmasq->no_dhcpv4 = {"br-lan"};
        CHECK(home.why("dhcpv4") != "");
        home.dnsmasq->no_dhcpv4.clear();
        home.dnsmasq->except_interfaces = {"br-lan"};
        CHECK(home.why("dhcpv4") != "");
        // What could not be read may have one.
        home.dnsmasq->unread = {"conf-file=x"};
        for (const char* carrier : {"dhcpv4", "dhcpv6", "ra"}) CHECK(home.why(carrier) == "");
        home.dnsmasq.reset();
        CHECK(home.why("dhcpv4") == "no dnsmasq was found for br-lan");
    }

    TEST_CASE("a supplement needs whoever advertises on the link") {
        Home home;
        CHECK(home.why("ra") == no_ra);
        home.range("192.168.1.100,192.168.1.199");
        home.dnsmasq->enable_ra = true;
        CHECK(home.why("ra") == no_ra);  // enable-ra is of IPv6 ranges
        home.range("fd00::100,fd00::1ff");
        CHECK(home.why("ra") == "");
        CHECK(advertisers(home.link, home.found, home.dnsmasq) == "dnsmasq");
        home.dnsmasq->enable_ra = false;
        CHECK(home.why("ra") == no_ra);
        home.range("fd00::,ra-only");
        CHECK(home.why("ra") == "");
        home.dnsmasq->interfaces = {"eth1"};
        CHECK(home.why("ra") == no_ra);

        home.found.radvd = {{"/etc/radvd.conf", true, {"eth1"}}};
        CHECK(home.why("ra") == no_ra);
        home.found.radvd[0].interfaces.push_back("br-lan");
        CHECK(home.why("ra") == "");
        home.found.radvd = {{"/etc/radvd.conf", false, {}}};  // not to be read: it may
        CHECK(home.why("ra") == "");
        home.dnsmasq->interfaces.clear();
        home.found.odhcpd = true;
        CHECK(advertisers(home.link, home.found, home.dnsmasq) == "dnsmasq, radvd, odhcpd");
        home.found = {};
        home.dnsmasq.reset();
        CHECK(home.why("ra") == no_ra);
        home.announce.ra = RaCarrier::full;
        CHECK(home.why("ra") == "");
    }

    TEST_CASE("odhcpd tells where it runs") {
        Home home;
        home.dnsmasq.reset();
        home.announce.dhcpv6 = DhcpCarrier::odhcpd;
        home.announce.ra = RaCarrier::odhcpd;
        for (const char* carrier : {"dhcpv6", "ra"})
            CHECK(home.why(carrier) == "no odhcpd was found");
        home.found.odhcpd = true;
        for (const char* carrier : {"dhcpv6", "ra"}) CHECK(home.why(carrier) == "");
    }
}

}  // namespace
}  // namespace porchlight::agent::setup
