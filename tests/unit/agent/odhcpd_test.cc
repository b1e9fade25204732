#include "agent/odhcpd.h"

#include <doctest/doctest.h>

#include "agent/announcement.h"
#include "called_odhcpd.h"
#include "config_fixture.h"

namespace porchlight::agent {
namespace {

using Entries = std::vector<dhcp::OdhcpdEntry>;

const Entries first{{"lan", "1  a.example fd77::1 alpn=dot"}};
const Entries second{{"lan", "1  b.example"}, {"guest", "1  b.example"}};

Odhcpd::Settings settings(const ProgramForUci& uci) {
    return {uci.path(), "/state/odhcpd", "/run/uci"};
}

std::string journal(MemoryStorage& files) {
    const auto octets = files.read("/state/odhcpd");
    return octets ? std::string(text_of(*octets)) : "none";
}

TEST_SUITE("agent/odhcpd") {
    TEST_CASE(
        "what somebody else took away is noticed and told again, what they brought back goes") {
        ProgramForUci uci;
        MemoryStorage files;
        Odhcpd odhcpd(files, settings(uci));
        CHECK(!odhcpd.feed(first));
        uci.show("'9 own.example' '1  a.example fd77::1 alpn=dot'");
        CHECK(!uci.said().empty());
        odhcpd.doubt();
        CHECK(!odhcpd.feed(odhcpd.wanted()));
        CHECK(uci.said().empty());
        uci.show("'9 own.example'");
        CHECK(!odhcpd.feed(odhcpd.wanted()));
        CHECK(uci.said().empty());  // not looked at each time
        odhcpd.doubt();
        CHECK(!odhcpd.feed(odhcpd.wanted()));
        CHECK(uci.said() ==
              "del_list dhcp.lan.dnr='1  a.example fd77::1 alpn=dot'\n"
              "add_list dhcp.lan.dnr='1  a.example fd77::1 alpn=dot'\ncommit\n");
        uci.show("'2  old.example' '9 own.example' '1  a.example fd77::1 alpn=dot'");
        odhcpd.doubt();
        CHECK(!odhcpd.feed(odhcpd.wanted()));
        CHECK(uci.said() ==
              "del_list dhcp.lan.dnr='1  a.example fd77::1 alpn=dot'\n"
              "del_list dhcp.lan.dnr='2  old.example'\n"
              "add_list dhcp.lan.dnr='1  a.example fd77::1 alpn=dot'\ncommit\n");
        CHECK(journal(files) == dhcp::odhcpd_text(first));
    }

    TEST_CASE("a look into UCI that failed is repeated") {
        ProgramForUci uci;
        MemoryStorage files;
        Odhcpd odhcpd(files, settings(uci));
        CHECK(!odhcpd.feed(first));
        (void)uci.said();
        odhcpd.doubt();
        uci.break_configuration();
        CHECK(!odhcpd.feed(odhcpd.wanted()));
        CHECK(uci.said().empty());
        uci.mend_configuration();
        CHECK(!odhcpd.feed(odhcpd.wanted()));
        CHECK(!uci.said().empty());
    }

    TEST_CASE("UCI is told once, and only of what changes") {
        ProgramForUci uci;
        MemoryStorage files;
        Odhcpd odhcpd(files, settings(uci));
        CHECK(odhcpd.feed({}));
        CHECK(uci.said().empty());
        CHECK(odhcpd.feed(first).error().message == "odhcpd is not running");
        CHECK(uci.said() == "add_list dhcp.lan.dnr='1  a.example fd77::1 alpn=dot'\ncommit\n");
        CHECK(journal(files) == dhcp::odhcpd_text(first));
        CHECK(!odhcpd.feed(odhcpd.wanted()));
        CHECK(uci.said().empty());
        CHECK(!odhcpd.feed(second));
        CHECK(uci.said() ==
              "del_list dhcp.lan.dnr='1  a.example fd77::1 alpn=dot'\n"
              "add_list dhcp.lan.dnr='1  b.example'\n"
              "add_list dhcp.guest.dnr='1  b.example'\ncommit\n");
        CHECK(odhcpd.feed({}));
        CHECK(uci.said() ==
              "del_list dhcp.lan.dnr='1  b.example'\n"
              "del_list dhcp.guest.dnr='1  b.example'\ncommit\n");
        CHECK(journal(files) == "none");
    }

    TEST_CASE("another process knows what to take back, wherever the first one ended") {
        ProgramForUci uci;
        MemoryStorage files;
        CHECK(!Odhcpd(files, settings(uci)).feed(first));
        uci.fill_flash();
        CHECK(Odhcpd(files, settings(uci)).feed(second).error().message.find("I/O error") !=
              std::string::npos);
        // Both may stand now.
        Entries both = first;
        both.insert(both.end(), second.begin(), second.end());
        CHECK(journal(files) == dhcp::odhcpd_text(both));
        uci.empty_flash();
        uci.said();
        CHECK(Odhcpd(files, settings(uci)).feed({}));
        CHECK(uci.said() == dhcp::uci_batch(both, {}) + "commit\n");
        CHECK(journal(files) == "none");
    }

    TEST_CASE("a damaged journal is kept until UCI has said what looks like ours") {
        ProgramForUci uci;
        MemoryStorage files;
        const Buffer damaged = {'l', 'a', 'n', 0, '\n'};
        files.files["/state/odhcpd"] = damaged;
        uci.show("'9 own.example' '1  a.example fd77::1 alpn=dot' '2  old.example'");
        uci.break_configuration();
        CHECK(!Odhcpd(files, settings(uci)).feed({}));
        CHECK(files.files["/state/odhcpd"] == damaged);
        CHECK(uci.said().empty());
        uci.mend_configuration();
        uci.fill_flash();
        const Entries found{first[0], {"lan", "2  old.example"}};
        CHECK(!Odhcpd(files, settings(uci)).feed({}));
        CHECK(journal(files) == dhcp::odhcpd_text(found));
        uci.empty_flash();
        uci.said();
        files.files["/state/odhcpd"] = damaged;
        CHECK(Odhcpd(files, settings(uci)).feed({}));
        CHECK(uci.said() == dhcp::uci_batch(found, {}) + "commit\n");
        CHECK(journal(files) == "none");
        files.files["/state/odhcpd"] = damaged;
        CHECK(!Odhcpd(files, settings(uci)).feed(second));
        CHECK(uci.said() == dhcp::uci_batch(found, second) + "commit\n");
        CHECK(journal(files) == dhcp::odhcpd_text(second));
    }

    TEST_CASE("UCI is looked into once, however much there is to tell") {
        ProgramForUci uci;
        MemoryStorage files;
        Odhcpd odhcpd(files, settings(uci));
        CHECK(!odhcpd.feed({second[0], {"lan", "2  c.example"}, second[1]}));
        CHECK(uci.looks() == 1);
        CHECK(!odhcpd.feed(odhcpd.wanted()));
        CHECK(uci.looks() == 0);
    }

    TEST_CASE("the journal stays until odhcpd was told") {
        ProgramForUci uci;
        MemoryStorage files;
        Odhcpd odhcpd(files, settings(uci));
        CHECK(!odhcpd.feed(first));
        uci.said();
        const pid_t pid = start_called_odhcpd();
        // The journal can be written before UCI is changed, and can't be removed behind that.
        files.fail_after = 1;
        CHECK(!odhcpd.feed({}));
        CHECK(was_told(pid));
        CHECK(journal(files) == dhcp::odhcpd_text(first));
        CHECK(uci.said() == dhcp::uci_batch(first, {}) + "commit\n");
        files.fail_after = -1;
        CHECK(odhcpd.feed({}));
        CHECK(uci.said().empty());
        CHECK(journal(files) == "none");
    }

    TEST_CASE("nothing is written to UCI that the journal could not take") {
        ProgramForUci uci;
        MemoryStorage files;
        files.fail_after = 0;
        CHECK(!Odhcpd(files, settings(uci)).feed(first));
        CHECK(uci.said().empty());
    }

    TEST_CASE("a section that is not there is named, and the others are served") {
        ProgramForUci uci;
        MemoryStorage files;
        Odhcpd odhcpd(files, settings(uci));
        const auto fed = odhcpd.feed({{"nowhere", "1  b.example"}, second[1]});
        REQUIRE(!fed);
        CHECK(fed.error().message ==
              "OpenWrt's configuration dhcp has no section nowhere: name the right one in lan's "
              "uci_section");
        CHECK(uci.said() == "add_list dhcp.guest.dnr='1  b.example'\ncommit\n");
    }

    TEST_CASE("without the program nothing can be told, and nothing is remembered") {
        MemoryStorage files;
        const auto fed = Odhcpd(files, {"/no/such/uci", "/state/odhcpd", "/run/uci"}).feed(first);
        REQUIRE(!fed);
        CHECK(fed.error().code == Errc::unavailable);
        CHECK(journal(files) == "none");
    }

    TEST_CASE("one that has ended does not run, though nobody has waited for it yet") {
        const auto before = odhcpd_processes();
        const pid_t pid = start_called_odhcpd();
        CHECK(odhcpd_processes().size() == before.size() + 1);
        ::kill(pid, SIGTERM);
        siginfo_t ended{};
        CHECK(::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT) == 0);
        CHECK(odhcpd_processes() == before);
        CHECK(!was_told(pid));
    }

    TEST_CASE("odhcpd reads its configuration again") {
        ProgramForUci uci;
        MemoryStorage files;
        const pid_t pid = start_called_odhcpd();
        CHECK(Odhcpd(files, settings(uci)).feed(first));
        CHECK(was_told(pid));
    }
}

constexpr std::string_view openwrt = R"({
  "lan": [{"interface": "br-lan"}, {"interface": "wlan0-1", "uci_section": "guest"}],
  "announce": {"dhcpv4": "dnsmasq", "dhcpv6": "odhcpd", "ra": "odhcpd",
               "resolvers": [{"adn": "dns.example.org", "addresses": ["192.0.2.53", "2001:db8::53"],
                              "dot": {}}]}})";

TEST_SUITE("agent/odhcpd configuration") {
    TEST_CASE("odhcpd serves the home where UCI says so of each link that is told of something") {
        ProgramForUci uci;
        Config config = *parse(openwrt).config;
        config.odhcpd.uci = uci.path();
        config.runtime_directory = "/run";
        const auto serves = [&] {
            const Result<bool> answer = odhcpd_serves(config);
            REQUIRE(answer);
            return *answer;
        };
        CHECK(!serves());
        uci.show_too("dhcp.wan.ra='server'\ndhcp.guest.ra='relay'\ndhcp.lan.dhcpv6='server'");
        CHECK(!serves());
        uci.show_too("dhcp.guest.dhcpv6='hybrid'");
        CHECK(serves());
        uci.show("");
        uci.show_too("dhcp.guest.ra='server'");
        CHECK(!serves());
        config.lan[0].mode = Mode::off;
        CHECK(serves());
        config.lan[1].mode = Mode::off;
        CHECK(!serves());
        config.lan.clear();
        CHECK(!serves());
    }

    TEST_CASE("whom odhcpd serves is unknown where UCI fails, and nobody where there is none") {
        ProgramForUci uci;
        Config config = *parse(openwrt).config;
        config.odhcpd.uci = uci.path();
        config.runtime_directory = "/run";
        uci.break_configuration();
        CHECK(!odhcpd_serves(config));
        uci.mend_configuration();
        uci.empty_configuration();
        CHECK(!odhcpd_serves(config));
        config.odhcpd.uci = "/no/such/uci";
        const Result<bool> serves = odhcpd_serves(config);
        REQUIRE(serves);
        CHECK(!*serves);
    }

    TEST_CASE("the agent's wishes reach the sections of the home's links alone") {
        const auto config = parse(openwrt).config;
        REQUIRE(config);
        CHECK(config->lan[0].uci_section == "lan");
        CHECK(entries_for(*config, "lan 1  a.example\nwan 1  a.example\nguest 1  a.example\n") ==
              Entries{{"lan", "1  a.example"}, {"guest", "1  a.example"}});
        CHECK(entries_for(*config, "lan 1' a.example\n").empty());
        Config other = *config;
        other.announce.dhcpv6 = DhcpCarrier::dnsmasq;
        other.announce.ra = RaCarrier::off;
        CHECK(entries_for(other, "lan 1  a.example\n").empty());
    }

    TEST_CASE("what a WAN offered does not go on standing when a daemon starts") {
        const auto config = parse(openwrt).config;
        REQUIRE(config);
        const std::string journal = "lan 1  a.example\nguest 1  b.example\n";
        CHECK(not_by_wan(*config, journal).size() == 2);
        Config relaying = *config;
        relaying.wan = {{"eth0"}};
        relaying.lan.at(1).mode = Mode::relay;
        CHECK(not_by_wan(relaying, journal) == Entries{{"lan", "1  a.example"}});
        CHECK(not_by_wan(relaying, "damaged").empty());
    }

    TEST_CASE("odhcpd alone carries what it is chosen for") {
        const auto config = parse(openwrt).config;
        REQUIRE(config);
        Plan whole;
        dns::EncryptedResolver resolver{1,
                                        *dns::parse_name("dns.example.org"),
                                        {*parse_ipv4("192.0.2.53"), *parse_ipv6("2001:db8::53")},
                                        {}};
        resolver.params.alpn = {"dot"};
        whole.links = {{"br-lan", {resolver}, ""}, {"wlan0-1", {}, "its mode is off"}};
        const Announcement made = announce(*config, whole);
        CHECK(made.odhcpd_lists ==
              "lan 1  dns.example.org 2001:db8::53 alpn=dot port=853 "
              "_lifetime=1800\n");
        CHECK(made.ra.empty());
        CHECK(made.dnsmasq_options.find("option6:144") == std::string::npos);
        CHECK(made.dnsmasq_options.find(",162,") != std::string::npos);
        std::string rows;
        for (const CarrierStatus& row : made.carriers)
            rows += row.link + " " + row.carrier + (row.by_odhcpd ? " odhcpd " : " ") +
                    (row.announced ? "yes" : row.why) + "\n";
        CHECK(rows ==
              "br-lan dhcpv4 yes\nwlan0-1 dhcpv4 its mode is off\n"
              "br-lan dhcpv6 odhcpd yes\nbr-lan ra odhcpd yes\n"
              "wlan0-1 dhcpv6 odhcpd its mode is off\nwlan0-1 ra odhcpd its mode is off\n");
    }

    TEST_CASE("of the draft's form odhcpd knows nothing") {
        std::string json(openwrt);
        json.replace(json.find("\"dhcpv6\""), 0, R"("formats": "draft-btw-11", )");
        const auto config = parse(json).config;
        REQUIRE(config);
        Plan whole;
        whole.links = {{"br-lan", {{1, *dns::parse_name("dns.example.org"), {}, {}}}, ""}};
        const Announcement made = announce(*config, whole);
        CHECK(made.odhcpd_lists.empty());
        CHECK(made.carriers.back().left_out ==
              std::vector<std::string>{
                  "dns.example.org.: in the draft's form: odhcpd does not know it"});
    }
}

}  // namespace
}  // namespace porchlight::agent
