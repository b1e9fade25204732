#include "agent/companion.h"

#include <doctest/doctest.h>

#include "agent/state_files.h"
#include "called_dnsmasq.h"

namespace porchlight::agent {
namespace {

const std::string pid_file = "/run/dnsmasq.pid";

Config feeding_config() {
    Config config;
    config.upstream.emplace_back();  // so dnsmasq has whom to ask
    config.announce.dhcpv4 = DhcpCarrier::dnsmasq;
    config.announce.dhcpv6 = DhcpCarrier::off;
    config.dnsmasq.fragment = "/etc/dnsmasq.d/porchlight.conf";
    config.dnsmasq.pid_file = pid_file;
    config.runtime_directory = "/run/porchlight";
    config.state_directory = "/state";
    return config;
}

struct Fixture {
    Config config = feeding_config();
    MemoryStorage files;
    Companion companion{config, files};

    std::string options() {
        const auto octets = files.read(StatePaths(config).dnsmasq + "/options");
        return octets ? std::string(text_of(*octets)) : "none";
    }
    void put(const std::string& path, std::string_view text) {
        files.files[path] = Buffer(text.begin(), text.end());
    }
    /// Makes `running` the dnsmasq that the pid file names, and one that has read the fragment.
    void runs(const CalledDnsmasq& running) {
        put(pid_file, running.pid());
        const auto fragment = files.read(config.dnsmasq.fragment);
        REQUIRE(fragment);
        const std::string record = running.identity() + "\n" + std::string(text_of(*fragment));
        put(StatePaths(config).dnsmasq + "/loaded", record);
    }
};

TEST_SUITE("agent/companion") {
    TEST_CASE_FIXTURE(Fixture, "options that a full disk kept away are told once there is room") {
        companion.restore();
        companion.set_options("options");
        REQUIRE(options() == "options");

        files.fail_after = 0;
        companion.set_options("");
        CHECK(options() == "options");
        CHECK(companion.trouble() != "");
        companion.set_options("");  // said again, which changes nothing
        companion.look();
        CHECK(companion.trouble() != "");

        files.fail_after = -1;
        companion.look();
        CHECK(options() == "");
        CHECK(companion.trouble() == "");
    }

    TEST_CASE_FIXTURE(Fixture,
                      "options that were written while nobody could signal are told again") {
        companion.restore();
        {
            CalledDnsmasq running;
            runs(running);
            files.fail_after = 0;
            companion.set_options("options");
            // As after a write that went well and a signal that did not.
            put(StatePaths(config).dnsmasq + "/options", "options");
            files.fail_after = -1;
            companion.look();
            CHECK(running.was_told());
        }
        CHECK(companion.trouble() == "");
    }

    TEST_CASE_FIXTURE(Fixture, "the same options are told once") {
        companion.restore();
        CalledDnsmasq running;
        companion.set_options("options");
        runs(running);
        companion.set_options("options");
        companion.look();
        CHECK(!running.was_told());
    }

    TEST_CASE_FIXTURE(Fixture, "one that has not read the fragment is a trouble until it has") {
        companion.restore();
        CalledDnsmasq running;
        put(pid_file, running.pid());
        Config next = config;
        next.announce.dhcpv6 = DhcpCarrier::dnsmasq;
        CHECK(companion.follow(next));
        CHECK(companion.trouble().find("restart it once") != std::string::npos);
        companion.look();
        CHECK(companion.trouble() != "");
        runs(running);
        companion.look();
        CHECK(companion.trouble() == "");
    }

    TEST_CASE_FIXTURE(Fixture, "letting go is tried until it is done") {
        companion.restore();
        companion.set_options("options");
        Config off = config;
        off.announce.dhcpv4 = DhcpCarrier::off;
        files.fail_after = 0;
        CHECK(companion.follow(off));
        CHECK(companion.trouble() != "");
        CHECK(options() == "options");
        files.fail_after = -1;
        companion.look();
        CHECK(companion.trouble() == "");
        CHECK(options() == "");
        CHECK(!files.files.contains(config.dnsmasq.fragment));
    }

    TEST_CASE_FIXTURE(Fixture, "a configuration that feeds no dnsmasq leaves its files alone") {
        config.announce.dhcpv4 = DhcpCarrier::off;
        Companion idle(config, files);
        idle.restore();
        idle.set_options("options");
        idle.look();
        CHECK(files.files.empty());
        CHECK(idle.trouble() == "");
    }
}

}  // namespace
}  // namespace porchlight::agent
