#include "agent/carrier_watch.h"

#include <array>

#include "called_odhcpd.h"
#include "config_fixture.h"

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

/// OpenWrt with a home that names no carrier.
struct Fixture {
    ProgramForUci uci;
    MemoryStorage files;
    Config config;
    Clock::time_point now{};

    Fixture() {
        config = *parse(R"({"mode": "static", "lan": [{"interface": "br-lan"}],
                            "announce": {"resolvers": [{"adn": "dns.example.org"}]},
                            "state_directory": "/state", "runtime_directory": "/run"})")
                      .config;
        config.odhcpd.uci = uci.path();
        uci.show_too("dhcp.lan.ra='server'");
    }
    CarrierWatch watch() { return {config, files, now}; }
};

TEST_SUITE("agent/carrier_watch") {
    TEST_CASE_FIXTURE(Fixture, "odhcpd is found when it runs, and missed after a while") {
        CarrierWatch seen = watch();
        CHECK(!seen.look(config, now).odhcpd);
        const pid_t pid = start_called_odhcpd();
        CHECK(seen.look(config, now += 10s).odhcpd);
        CHECK(!was_told(pid));
        CHECK(seen.look(config, now += 10s).odhcpd);
        const pid_t another = start_called_odhcpd();
        CHECK(seen.look(config, now += 10s).odhcpd);
        CHECK(!was_told(another));
        CHECK(seen.look(config, now + Presence::absent_max - 1s).odhcpd);
        CHECK(!seen.look(config, now + Presence::absent_max).odhcpd);
    }

    TEST_CASE_FIXTURE(Fixture, "UCI is asked when odhcpd is another, anew, and once a minute") {
        CarrierWatch seen = watch();
        seen.look(config, now);
        CHECK(uci.looks() == 0);
        const pid_t pid = start_called_odhcpd();
        for (const auto after : {0s, 10s, 50s}) seen.look(config, now + after);
        CHECK(uci.looks() == 1);
        seen.look_anew(config, now + 55s);
        CHECK(uci.looks() == 1);
        seen.look(config, now + 110s);
        CHECK(uci.looks() == 0);
        seen.look(config, now + 115s);
        CHECK(uci.looks() == 1);
        CHECK(!was_told(pid));
    }

    TEST_CASE_FIXTURE(Fixture, "while UCI can't be asked what was found stays") {
        const pid_t pid = start_called_odhcpd();
        CarrierWatch seen = watch();
        uci.break_configuration();
        CHECK(!seen.look(config, now).odhcpd);
        uci.mend_configuration();
        CHECK(seen.look(config, now += 10s).odhcpd);
        uci.break_configuration();
        CHECK(seen.look_anew(config, now += 10s).odhcpd);
        for (int i = 0; i < 20; ++i) CHECK(seen.look(config, now += 10s).odhcpd);
        uci.looks();
        uci.mend_configuration();
        uci.show("");
        CHECK(!seen.look(config, now += 10s).odhcpd);
        CHECK(uci.looks() == 1);
        uci.break_configuration();
        for (int i = 0; i < 20; ++i) CHECK(!seen.look(config, now += 10s).odhcpd);
        CHECK(!was_told(pid));
    }

    TEST_CASE_FIXTURE(Fixture, "one that ends while UCI can't be asked is missed after a while") {
        const pid_t pid = start_called_odhcpd();
        CarrierWatch seen = watch();
        CHECK(seen.look(config, now).odhcpd);
        uci.break_configuration();
        CHECK(seen.look_anew(config, now += 10s).odhcpd);
        CHECK(!was_told(pid));
        CHECK(seen.look(config, now + Presence::absent_max - 1s).odhcpd);
        CHECK(!seen.look(config, now + Presence::absent_max).odhcpd);
    }

    TEST_CASE_FIXTURE(Fixture, "one that runs and serves the home no more is dropped at once") {
        const pid_t pid = start_called_odhcpd();
        CarrierWatch seen = watch();
        CHECK(seen.look(config, now).odhcpd);
        uci.show("");
        CHECK(seen.look(config, now + 59s).odhcpd);
        CHECK(!seen.look(config, now + 60s).odhcpd);
        CHECK(!was_told(pid));
        CHECK(!seen.look(config, now + 70s).odhcpd);
    }

    TEST_CASE_FIXTURE(Fixture, "where nothing depends on it nobody looks") {
        const pid_t pid = start_called_odhcpd();
        CarrierWatch seen = watch();
        Config named = config;
        named.announce.ra = RaCarrier::supplement;
        CHECK(!seen.look(named, now).odhcpd);
        Config off = config;
        off.mode = Mode::off;
        CHECK(!seen.look(off, now).odhcpd);
        CHECK(uci.looks() == 0);
        CHECK(seen.look(config, now).odhcpd);
        CHECK(!was_told(pid));
    }

    TEST_CASE_FIXTURE(Fixture, "one that was told by the last run is waited for") {
        files.files["/state/odhcpd"] = {};
        CarrierWatch seen = watch();
        CHECK(seen.look(config, now).odhcpd);
        CHECK(!seen.look(config, now + Presence::absent_max).odhcpd);
    }
}

}  // namespace
}  // namespace porchlight::agent
