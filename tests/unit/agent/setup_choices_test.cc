#include "agent/setup_choices.h"

#include "agent/odhcpd.h"
#include "agent/plan.h"
#include "called_odhcpd.h"

namespace porchlight::agent::setup {
namespace {

TEST_SUITE("agent/setup_choices") {
    TEST_CASE("a home to look for daemons by has the links' sections, and something to tell") {
        const auto home = home_of({"br-lan", "wlan0"});
        REQUIRE(home);
        REQUIRE(home->lan.size() == 2);
        CHECK(home->lan[0].uci_section == "lan");
        CHECK(home->lan[1].uci_section == "wlan0");
        CHECK(announces(*home));
        CHECK(!home_of({"no/link"}));
    }

    TEST_CASE("where no link is known UCI is asked of OpenWrt's own") {
        ProgramForUci uci;
        auto home = home_of({});
        REQUIRE(home);
        home->odhcpd.uci = uci.path();
        home->runtime_directory = "/run";
        Result<bool> serves = odhcpd_serves(*home);
        REQUIRE(serves);
        CHECK(!*serves);
        uci.show_too("dhcp.lan.ra='server'");
        serves = odhcpd_serves(*home);
        REQUIRE(serves);
        CHECK(*serves);
    }
}

}  // namespace
}  // namespace porchlight::agent::setup
