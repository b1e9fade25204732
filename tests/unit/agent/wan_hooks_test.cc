#include "agent/wan_hooks.h"

#include <doctest/doctest.h>

#include <map>

namespace porchlight::agent {
namespace {

using std::chrono::seconds;
using What = Heard::What;
using Variables = std::map<std::string, std::string, std::less<>>;

Environment environment(Variables variables) {
    return [variables = std::move(variables)](std::string_view name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::string() : found->second;
    };
}

/// As busybox 1.35 gives them.
Variables bound() {
    return {{"interface", "eth0"},
            {"opt162", "0008000205036462740a"},
            {"opt230", "0101"},
            {"dns", "192.0.2.53 192.0.2.54"},
            {"lease", "3600"}};
}

TEST_SUITE("agent/wan_hooks") {
    TEST_CASE("udhcpc: a lease brings an offer that lasts as long") {
        for (const char* event : {"bound", "renew"}) {
            const auto heard = heard_from_udhcpc(event, environment(bound()), {});
            REQUIRE(heard);
            CHECK(heard->what == What::offer);
            CHECK(heard->record.interface == "eth0");
            CHECK(heard->record.source == OfferSource::dhcpv4);
            CHECK(heard->record.told_by == "udhcpc " + std::string(event));
            CHECK(heard->record.lifetime == seconds(3600));
            CHECK(heard->record.v4 ==
                  std::vector<dhcp::V4Option>{{162, {0, 8, 0, 2, 5, 3, 0x64, 0x62, 0x74, 10}},
                                              {6, {192, 0, 2, 53, 192, 0, 2, 54}}});
        }
    }

    TEST_CASE("udhcpc: the draft's option is taken along where that form is told") {
        dns::Forms forms;
        forms.formats = {dns::Format::draft_btw_11};
        const auto heard = heard_from_udhcpc("bound", environment(bound()), forms);
        CHECK(heard->record.v4.at(1) == dhcp::V4Option{230, {1, 1}});
    }

    TEST_CASE("udhcpc: a lease without the option replaces the former offer by none") {
        const auto heard = heard_from_udhcpc("renew", environment({{"interface", "eth0"}}), {});
        CHECK(heard->what == What::offer);
        CHECK(heard->record.v4.empty());
        CHECK(!heard->record.lifetime);
    }

    TEST_CASE("udhcpc: only a deconfig is a lease lost") {
        const auto what = [](const char* event) {
            return heard_from_udhcpc(event, environment(bound()), {})->what;
        };
        CHECK(what("deconfig") == What::lost);
        CHECK(what("nak") == What::nothing);
        CHECK(what("leasefail") == What::nothing);
        CHECK(what("") == What::nothing);
    }

    TEST_CASE("what is no hexadecimal digits is kept for whoever refuses it") {
        Variables odd = bound();
        odd["opt162"] = "0x";
        odd["lease"] = "an hour";
        odd["dns"] = "dns.isp.test";
        const auto heard = heard_from_udhcpc("bound", environment(odd), {});
        CHECK(heard->record.v4 == std::vector<dhcp::V4Option>{{162, {'0', 'x'}}});
        CHECK(!heard->record.lifetime);
        CHECK(!dhcp::read_wan_v4(heard->record.v4).refused.empty());
    }

    TEST_CASE("without an interface it was not called by a client's script") {
        CHECK(!heard_from_udhcpc("bound", environment({}), {}));
        CHECK(!heard_from_udhcpc("bound", environment({{"interface", "../eth0"}}), {}));
        CHECK(heard_from_odhcp6c("a/b", "bound", environment({})).error().message ==
              "\"a/b\" is no name of an interface; odhcp6c's script has one");
    }

    TEST_CASE("odhcp6c: PASSTHRU is the message, and the longest lease is its life") {
        const Variables variables{
            {"PASSTHRU", "009000090002000503646e7400"},
            {"OPTION_144", "ffff"},
            {"ADDRESSES", "2001:db8::2/128,1800,3600,900,1440"},
            {"PREFIXES", "2001:db8:1::/56,3600,7200,900,1440,class=00000002 2001:db8:2::/56,1,2"}};
        for (const char* event : {"bound", "informed", "updated", "rebound"}) {
            const auto heard = heard_from_odhcp6c("pppoe-wan", event, environment(variables));
            REQUIRE(heard);
            CHECK(heard->what == What::offer);
            CHECK(heard->record.interface == "pppoe-wan");
            CHECK(heard->record.source == OfferSource::dhcpv6);
            CHECK(to_hex(heard->record.v6) == "009000090002000503646e7400");
            CHECK(heard->record.lifetime == seconds(7200));
        }
        // Without a lease the information's own time counts, which is in the message.
        CHECK(!heard_from_odhcp6c("wan", "informed", environment({}))->record.lifetime);
    }

    TEST_CASE("odhcp6c: an RA repeats what DHCPv6 said; the lease is lost by two events alone") {
        const auto what = [](const char* event) {
            return heard_from_odhcp6c("wan", event, environment({}))->what;
        };
        CHECK(what("ra-updated") == What::offer_if_other);
        CHECK(what("unbound") == What::lost);
        CHECK(what("stopped") == What::lost);
        CHECK(what("started") == What::nothing);
    }

    TEST_CASE("dhclient: the reason says which family, and whether there is a lease") {
        // As 4.4.3 gives them.
        const Variables four{{"reason", "BOUND"},
                             {"interface", "eth0"},
                             {"new_dnr", "0:8:0:2:5:3:64:6e:74:0"},
                             {"new_domain_name_servers", "192.0.2.53"},
                             {"new_dhcp_lease_time", "600"}};
        const auto heard = heard_from_dhclient(environment(four));
        REQUIRE(heard);
        CHECK(heard->what == What::offer);
        CHECK(heard->record.source == OfferSource::dhcpv4);
        CHECK(heard->record.told_by == "dhclient BOUND");
        CHECK(heard->record.lifetime == seconds(600));
        CHECK(heard->record.v4 ==
              std::vector<dhcp::V4Option>{{162, {0, 8, 0, 2, 5, 3, 0x64, 0x6e, 0x74, 0}},
                                          {6, {192, 0, 2, 53}}});
        Variables six{{"reason", "RENEW6"},
                      {"interface", "eth0"},
                      {"new_dhcp6_dnr", "0:2:0:5:3:64:6e:74:0"},
                      {"new_dhcp6_name_servers", "2001:db8::53"},
                      {"new_dhcp6_info_refresh_time", "3600"}};
        const auto informed = heard_from_dhclient(environment(six));
        CHECK(informed->record.source == OfferSource::dhcpv6);
        CHECK(to_hex(informed->record.v6) ==
              "009000090002000503646e74000017001020010db80000000000000000000000530020000400000e10");
        CHECK(!informed->record.lifetime);
        CHECK(informed->lease.empty());
        six["new_max_life"] = "90";
        CHECK(heard_from_dhclient(environment(six))->record.lifetime == seconds(90));
    }

    TEST_CASE(
        "dhclient calls for each address of a lease: the offer lasts as long as the longest") {
        Variables six{{"interface", "eth0"}, {"new_dhcp6_dnr", "0:2:0:5:3:64:6e:74:0"}};
        std::optional<WanRecord> noted;
        const auto call = [&](const char* reason, std::map<std::string, std::string> more,
                              seconds now) {
            Variables variables = six;
            variables["reason"] = reason;
            for (const auto& [name, value] : more) variables[name] = value;
            const auto heard = heard_from_dhclient(environment(variables));
            REQUIRE(heard);
            if (heard->what == What::lost) return noted = without_lease(*noted, heard->lease, now);
            WanRecord record = heard->record;
            record.received = now;
            return noted = with_lease(record, heard->lease, noted);
        };
        call("BOUND6", {{"new_ip6_address", "2001:db8::2"}, {"new_max_life", "600"}}, seconds(100));
        call("BOUND6", {{"new_ip6_prefix", "2001:db8:1::/56"}, {"new_max_life", "90"}},
             seconds(101));
        CHECK(noted->lifetime == seconds(599));
        // One lives on when the other ends, which says so by itself.
        call("EXPIRE6", {{"old_ip6_prefix", "2001:db8:1::/56"}}, seconds(191));
        REQUIRE(noted);
        CHECK(noted->lifetime == seconds(599));
        // A server may give shorter leases from now on.
        call("RENEW6", {{"new_ip6_address", "2001:db8::2"}, {"new_max_life", "60"}}, seconds(200));
        CHECK(noted->lifetime == seconds(60));
        call("RENEW6", {{"new_ip6_prefix", "2001:db8:1::/56"}, {"new_max_life", "4294967295"}},
             seconds(201));
        CHECK(noted->lifetime == seconds(0xffffffff));
        CHECK(noted->leases.size() == 2);
        call("RELEASE6", {{"old_ip6_prefix", "2001:db8:1::/56"}}, seconds(210));
        CHECK(noted->lifetime == seconds(59));
        CHECK(!call("RELEASE6", {{"old_ip6_address", "2001:db8::2"}}, seconds(211)));
    }

    TEST_CASE("no more leases are told apart than there is room for") {
        std::optional<WanRecord> noted;
        for (std::size_t i = 0; i < 2 * wan_leases_max; ++i) {
            WanRecord record;
            record.lifetime = seconds(100);
            noted = with_lease(record, std::to_string(i), noted);
        }
        CHECK(noted->leases.size() == wan_leases_max);
        noted->received = seconds(100);
        noted->lifetime = seconds(5);
        // What has ended makes room.
        CHECK(with_lease(*noted, "new", noted).leases ==
              std::vector<WanRecord::Lease>{{"new", seconds(105)}});
    }

    TEST_CASE("dhclient: what is all printable comes as text, and no good option is") {
        for (const char* text : {"abc", "0:1:xyz", "0:123", "::"}) {
            const auto heard = heard_from_dhclient(
                environment({{"reason", "BOUND"}, {"interface", "eth0"}, {"new_dnr", text}}));
            CAPTURE(text);
            CHECK(dhcp::read_wan_v4(heard->record.v4).resolvers.empty());
        }
    }

    TEST_CASE("dhcpcd: hexadecimal digits, and the longest of all leases") {
        // As 9.4.1 gives them.
        const Variables six{{"reason", "BOUND6"},
                            {"interface", "eth0"},
                            {"new_dhcp6_dnr", "0002000503646e7400"},
                            {"new_dhcp6_ia_na1_ia_addr1_vltime", "90"},
                            {"new_dhcp6_ia_pd2_prefix1_vltime", "120"},
                            {"new_dhcp6_info_refresh_time", "3600"}};
        const auto heard = heard_from_dhcpcd(environment(six));
        REQUIRE(heard);
        CHECK(heard->what == What::offer);
        CHECK(to_hex(heard->record.v6) == "009000090002000503646e74000020000400000e10");
        CHECK(heard->record.lifetime == seconds(120));
        const auto four = heard_from_dhcpcd(environment(
            {{"reason", "REBOOT"}, {"interface", "eth0"}, {"new_dnr", "00080002050364627400"}}));
        CHECK(four->record.v4.at(0).data.size() == 10);
        CHECK(!heard_from_dhcpcd(environment({{"reason", "BOUND"}})));
    }

    TEST_CASE("by reason: what loses a lease, and what says nothing of it") {
        const auto what = [](const char* reason) {
            return heard_from_dhcpcd(environment({{"reason", reason}, {"interface", "eth0"}}))
                ->what;
        };
        for (const char* reason : {"BOUND", "RENEW", "REBIND", "REBOOT", "INFORM", "BOUND6",
                                   "RENEW6", "REBIND6", "INFORM6"})
            CHECK(what(reason) == What::offer);
        for (const char* reason :
             {"EXPIRE", "RELEASE", "STOP", "FAIL", "EXPIRE6", "RELEASE6", "STOP6"})
            CHECK(what(reason) == What::lost);
        for (const char* reason : {"PREINIT", "NOCARRIER", "CARRIER", "TIMEOUT", "DEPREF6", "NAK",
                                   "ROUTERADVERT", "STOPPED", ""})
            CHECK(what(reason) == What::nothing);
    }

    TEST_CASE("a lease that is lost leaves its offer a moment, and never longer than it had") {
        WanRecord record;
        record.received = seconds(100);
        CHECK(ending(record, seconds(150)).lifetime == seconds(60));
        record.lifetime = seconds(3600);
        CHECK(ending(record, seconds(150)).lifetime == seconds(60));
        record.leases = {{"2001:db8::2", seconds(3700)}};
        CHECK(ending(record, seconds(150)).leases.empty());
        record.lifetime = seconds(55);
        CHECK(ending(record, seconds(150)).lifetime == seconds(55));
    }
}

}  // namespace
}  // namespace porchlight::agent
