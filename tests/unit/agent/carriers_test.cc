#include "agent/carriers.h"

#include "config_fixture.h"

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

constexpr Found nobody{};
constexpr Found odhcpd{.odhcpd = true};

Config home(DhcpCarrier dhcpv6, RaCarrier ra) {
    Config config;
    config.lan = {{"br-lan", Mode::automatic, {}, "lan"}};
    config.announce.dhcpv6 = dhcpv6;
    config.announce.ra = ra;
    return config;
}

/// "dnsmasq supplement": DHCPv6's and that of Router Advertisements.
std::string chosen(const Config& asked, const Found& found) {
    const AnnounceConfig resolved = resolve_carriers(asked, found).announce;
    const auto list = chosen_carriers(asked.announce, resolved);
    return list[1].by + " " + list[2].by;
}

TEST_SUITE("agent/carriers") {
    TEST_CASE("what is left open follows from what runs, and from what is not") {
        struct Row {
            DhcpCarrier dhcpv6;
            RaCarrier ra;
            const char* with_nobody;
            const char* with_odhcpd;
        };
        using enum DhcpCarrier;
        const Row rows[] = {
            {automatic, RaCarrier::automatic, "dnsmasq supplement", "odhcpd odhcpd"},
            {automatic, RaCarrier::full, "dnsmasq full", "odhcpd full"},
            {automatic, RaCarrier::odhcpd, "odhcpd odhcpd", "odhcpd odhcpd"},
            // odhcpd would send the same by its Router Advertisements.
            {automatic, RaCarrier::supplement, "dnsmasq supplement", "dnsmasq supplement"},
            {automatic, RaCarrier::off, "dnsmasq off", "dnsmasq off"},
            {odhcpd, RaCarrier::automatic, "odhcpd odhcpd", "odhcpd odhcpd"},
            {dnsmasq, RaCarrier::automatic, "dnsmasq supplement", "dnsmasq supplement"},
            {off, RaCarrier::automatic, "off supplement", "off supplement"},
            {dnsmasq, RaCarrier::odhcpd, "dnsmasq odhcpd", "dnsmasq odhcpd"},
            {off, RaCarrier::off, "off off", "off off"},
        };
        for (const Row& row : rows) {
            const Config asked = home(row.dhcpv6, row.ra);
            CAPTURE(row.with_nobody);
            CHECK(chosen(asked, nobody) == row.with_nobody);
            CHECK(chosen(asked, agent::odhcpd) == row.with_odhcpd);
            CHECK(depends_on_found(asked) ==
                  (std::string_view(row.with_nobody) != row.with_odhcpd));
        }
    }

    TEST_CASE("whatever is chosen, the configuration's own rules would have allowed") {
        const char* dhcpv6[] = {"auto", "dnsmasq", "odhcpd", "off"};
        const char* ra[] = {"auto", "supplement", "full", "odhcpd", "off"};
        for (const char* six : dhcpv6) {
            for (const char* adverts : ra) {
                const auto written = [](const std::string& its_six, const std::string& its_ra) {
                    return parse(R"({"lan": [{"interface": "br-lan"}], "announce": {"dhcpv6": ")" +
                                 its_six + R"(", "ra": ")" + its_ra + R"("}})")
                        .config;
                };
                const auto asked = written(six, adverts);
                for (const Found& found : {nobody, odhcpd}) {
                    if (!asked) continue;
                    const auto list =
                        chosen_carriers(asked->announce, resolve_carriers(*asked, found).announce);
                    CAPTURE(list[1].by);
                    CAPTURE(list[2].by);
                    CHECK(written(list[1].by, list[2].by));
                    CHECK(list[0].by == "dnsmasq");
                }
            }
        }
    }

    TEST_CASE("odhcpd is not chosen where a link has no section of its own to be told by") {
        Config asked = home(DhcpCarrier::automatic, RaCarrier::automatic);
        asked.lan.push_back({"eth1.3", Mode::automatic, {}, "eth1.3"});
        CHECK(chosen(asked, odhcpd) == "dnsmasq supplement");
        asked.lan[1].uci_section = "lan";
        CHECK(chosen(asked, odhcpd) == "dnsmasq supplement");
        asked.lan[1].uci_section = "guest";
        CHECK(chosen(asked, odhcpd) == "odhcpd odhcpd");
    }

    TEST_CASE("nothing else of a configuration changes") {
        Config asked = *parse(full_config).config;
        CHECK(resolve_carriers(asked, odhcpd) == asked);
        asked.announce.dhcpv4 = DhcpCarrier::automatic;
        CHECK(resolve_carriers(asked, odhcpd) == *parse(full_config).config);
    }

    TEST_CASE("what was left open is told from what was named") {
        const Config asked = home(DhcpCarrier::automatic, RaCarrier::odhcpd);
        CHECK(chosen_carriers(asked.announce, resolve_carriers(asked, nobody).announce) ==
              std::vector<ChosenCarrier>{{"dhcpv4", "dnsmasq", true},
                                         {"dhcpv6", "odhcpd", true},
                                         {"ra", "odhcpd", false}});
        CHECK(chosen_carriers(asked.announce, asked.announce)[0].by == "auto");
        CHECK(chosen_carriers({}, {})[2].by == "auto");
    }

    TEST_CASE("a daemon is believed when it comes, and missed only after a while") {
        const Clock::time_point start{};
        Presence presence;
        CHECK(!presence.note(false, start));
        CHECK(presence.note(true, start + 10s));
        CHECK(presence.note(false, start + 20s));
        CHECK(presence.note(false, start + 10s + Presence::absent_max - 1s));
        CHECK(!presence.note(false, start + 10s + Presence::absent_max));
        CHECK(presence.note(true, start + 80s));
        CHECK(presence.note(false, start + 81s));
    }
}

}  // namespace
}  // namespace porchlight::agent
