#include "agent/companion.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent/state_files.h"
#include "called_dnsmasq.h"
#include "core/file_descriptor.h"

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

/// Sees whether there was a moment without a file, or with nothing in it.
struct Watched : MemoryStorage {
    explicit Watched(const MemoryStorage& from) : MemoryStorage(from) {}
    Result<void> remove(const std::string& path) override {
        gap = true;
        return MemoryStorage::remove(path);
    }
    Result<void> write_whole(const std::string& path, Bytes content, unsigned mode) override {
        gap = gap || content.empty();
        return MemoryStorage::write_whole(path, content, mode);
    }
    bool gap = false;
};

struct Fixture {
    Config config = feeding_config();
    MemoryStorage files;
    Companion companion{config, files};
    Clock::time_point now = Clock::time_point(std::chrono::hours(1));

    /// Ten seconds later, as the keeper does it.
    void look() {
        now += std::chrono::seconds(10);
        companion.look(now);
    }
    void follow(const Config& next) {
        companion.follow(next);
        companion.feed(now);
    }
    std::string text(const std::string& path) {
        const auto octets = files.read(path);
        return octets ? std::string(text_of(*octets)) : "none";
    }
    std::string servers() { return text(StatePaths(config).dnsmasq + "/servers"); }

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
        companion.restore("", now);
        companion.set_options("options");
        REQUIRE(options() == "options");

        files.fail_after = 0;
        companion.set_options("");
        CHECK(options() == "options");
        CHECK(companion.trouble() != "");
        companion.set_options("");  // said again, which changes nothing
        look();
        CHECK(companion.trouble() != "");

        files.fail_after = -1;
        look();
        CHECK(options() == "");
        CHECK(companion.trouble() == "");
    }

    TEST_CASE_FIXTURE(Fixture,
                      "options that were written while nobody could signal are told again") {
        companion.restore("", now);
        {
            CalledDnsmasq running;
            runs(running);
            files.fail_after = 0;
            companion.set_options("options");
            // As after a write that went well and a signal that did not.
            put(StatePaths(config).dnsmasq + "/options", "options");
            files.fail_after = -1;
            look();
            CHECK(running.was_told());
        }
        CHECK(companion.trouble() == "");
    }

    TEST_CASE_FIXTURE(Fixture, "it asks us once somebody is known whom we can ask") {
        put("/etc/resolv.conf", "nameserver 192.0.2.1\n");
        config.upstream.clear();
        config.lan = {{"br-lan"}};
        config.wan = {{"eth0"}};
        config.resolver = ResolverConfig{*dns::parse_name("a.example"), {}};
        config.dnsmasq.resolv_file = "/etc/resolv.conf";
        follow(config);
        CHECK(servers() == former_servers(config, files));
        companion.set_upstream_known(true);
        look();
        CHECK(servers() == our_servers(config));
        CHECK(our_servers(config) != former_servers(config, files));
        // Who is named needs no finding.
        companion.set_upstream_known(false);
        config.upstream.emplace_back();
        follow(config);
        CHECK(servers() == our_servers(config));
    }

    TEST_CASE_FIXTURE(Fixture, "the same options are told once") {
        companion.restore("", now);
        CalledDnsmasq running;
        companion.set_options("options");
        runs(running);
        companion.set_options("options");
        look();
        CHECK(!running.was_told());
    }

    TEST_CASE_FIXTURE(Fixture, "one that has not read the fragment is a trouble until it has") {
        CalledDnsmasq running;  // before the fragment stood, however slow this machine is
        companion.restore("", now);
        put(pid_file, running.pid());
        Config next = config;
        next.announce.dhcpv6 = DhcpCarrier::dnsmasq;
        follow(next);
        CHECK(companion.trouble().find("restart it once") != std::string::npos);
        look();
        CHECK(companion.trouble() != "");
        runs(running);
        look();
        CHECK(companion.trouble() == "");
    }

    TEST_CASE_FIXTURE(Fixture, "letting go is tried until it is done") {
        companion.restore("", now);
        companion.set_options("options");
        Config off = config;
        off.announce.dhcpv4 = DhcpCarrier::off;
        files.fail_after = 0;
        follow(off);
        CHECK(companion.trouble() != "");
        CHECK(options() == "options");
        files.fail_after = -1;
        look();
        CHECK(companion.trouble() == "");
        CHECK(options() == "");
        CHECK(!files.files.contains(config.dnsmasq.fragment));
    }

    TEST_CASE_FIXTURE(Fixture, "what was told last is told at once, where it still holds") {
        companion.restore("options", now);
        Watched left(files);
        Companion next(config, left);
        next.succeed(config);
        CHECK(next.clear());
        next.restore("options", now);
        CHECK(next.trouble() == "");
        CHECK(text_of(left.files[StatePaths(config).dnsmasq + "/options"]) == "options");
        CHECK(!left.gap);
    }

    TEST_CASE_FIXTURE(Fixture,
                      "a start that feeds dnsmasq no more takes back what a dead run left") {
        put(config.dnsmasq.fragment, "fragment");  // on flash; a power cut emptied the rest
        put("/resolv.conf", "nameserver 192.0.2.53\n");
        config.dnsmasq.resolv_file = "/resolv.conf";
        for (const bool off : {true, false}) {
            Config next = config;
            if (off) {
                next.mode = Mode::off;
                next.upstream.clear();
            } else {
                next.announce.dhcpv4 = DhcpCarrier::off;
                next.announce.dhcpv6 = DhcpCarrier::odhcpd;
            }
            MemoryStorage left = files;
            Companion starting(next, left);
            starting.succeed(config);
            starting.restore("options", now);
            CHECK(starting.clear());
            CHECK(!left.files.contains(config.dnsmasq.fragment));
            CHECK(text_of(left.files[StatePaths(config).dnsmasq + "/options"]) == "");
            CHECK(text_of(left.files[StatePaths(config).dnsmasq + "/servers"])
                      .find("server=192.0.2.53") != std::string_view::npos);
        }
    }

    TEST_CASE_FIXTURE(Fixture, "a dnsmasq that was let go hears of its former servers' change") {
        config.dnsmasq.resolv_file = "/resolv.conf";
        companion.follow(config);
        companion.restore("", now);
        CalledDnsmasq running;
        runs(running);
        Config off = config;
        off.announce.dhcpv4 = DhcpCarrier::off;
        follow(off);
        CHECK(servers().find("server=") == std::string::npos);  // the WAN is not up yet
        put("/resolv.conf", "nameserver 192.0.2.53\n");
        look();
        CHECK(servers().find("server=192.0.2.53") != std::string::npos);
        CHECK(running.was_told());
        // One that is started anew reads its own resolv.conf.
        put("/resolv.conf", "nameserver 192.0.2.54\n");
        look();
        CHECK(servers().find("server=192.0.2.53") != std::string::npos);
    }

    TEST_CASE_FIXTURE(Fixture, "two fragments never stand at once, after a dead run nor a reload") {
        Config next = config;
        next.dnsmasq.fragment = "/etc/other.d/porchlight.conf";
        const auto stand = [&](const Config& one) {
            return files.files.contains(one.dnsmasq.fragment);
        };
        companion.restore("options", now);
        Companion starting(next, files);
        for (Companion* one : {&starting, &companion}) {
            put(config.dnsmasq.fragment, "fragment");
            files.files.erase(next.dnsmasq.fragment);
            files.fail_after = 0;
            if (one == &starting)
                one->succeed(config);
            else
                one->follow(next);
            files.fail_after = -1;
            one->restore("options", now);
            CHECK(!one->clear());
            CHECK(one->trouble() != "");
            CHECK((stand(config) && !stand(next)));
            one->look(now);
            CHECK(one->clear());
            CHECK((!stand(config) && !stand(next)));
            one->look(now);
            CHECK((!stand(config) && stand(next)));
            CHECK(options() == "options");
            CHECK(one->trouble() == "");
        }
    }

    TEST_CASE_FIXTURE(Fixture, "going back to what could not be removed is no removal") {
        companion.restore("options", now);
        Config next = config;
        next.dnsmasq.fragment = "/etc/other.d/porchlight.conf";
        files.fail_after = 0;
        follow(next);
        files.fail_after = -1;
        follow(config);
        CHECK(companion.clear());
        CHECK(companion.trouble() == "");
        CHECK(files.files.contains(config.dnsmasq.fragment));
        CHECK(!files.files.contains(next.dnsmasq.fragment));
    }

    TEST_CASE_FIXTURE(Fixture, "files that somebody removes or changes are written again") {
        companion.restore("options", now);
        for (const std::string& path :
             {config.dnsmasq.fragment, StatePaths(config).dnsmasq + "/options",
              StatePaths(config).dnsmasq + "/servers"}) {
            const std::string before = text(path);
            files.files.erase(path);
            look();
            CHECK(text(path) == before);
            put(path, "changed");
            look();
            CHECK(text(path) == before);
        }
    }

    TEST_CASE_FIXTURE(Fixture, "one whose pid file came after the fragment may not have read it") {
        CalledDnsmasq early;  // read its configuration before there was a fragment
        // The clock of processes has hundredths of a second.
        ::usleep(20000);
        companion.restore("options", now);
        CHECK(companion.trouble() == "");
        put(pid_file, early.pid());
        look();
        CHECK(companion.trouble().find("restart it once") != std::string::npos);
        ::usleep(20000);
        CalledDnsmasq late;
        put(pid_file, late.pid());
        look();
        CHECK(companion.trouble() == "");
    }

    TEST_CASE_FIXTURE(Fixture, "one that was restarted while the fragment was away is noticed") {
        companion.restore("options", now);
        ::usleep(20000);
        CalledDnsmasq running;
        put(pid_file, running.pid());
        look();
        REQUIRE(companion.trouble() == "");
        files.files.erase(config.dnsmasq.fragment);
        CalledDnsmasq restarted;
        put(pid_file, restarted.pid());
        ::usleep(20000);
        look();
        CHECK(companion.trouble().find("restart it once") != std::string::npos);
        CHECK(files.files.contains(config.dnsmasq.fragment));
    }

    TEST_CASE_FIXTURE(Fixture, "a restart that failed is tried again, ever less often") {
        char count[] = "/tmp/porchlight-restarts-XXXXXX";
        FileDescriptor file(::mkstemp(count));
        const auto restarts = [&] { return static_cast<int>(::lseek(file.get(), 0, SEEK_END)); };
        CalledDnsmasq running;
        ::usleep(20000);
        Config next = config;
        next.dnsmasq.restart = {"/bin/sh", "-c", std::string("printf . >>") + count + "; exit 1"};
        put(pid_file, running.pid());
        follow(next);
        CHECK(restarts() == 1);
        CHECK(companion.trouble() != "");
        look();
        CHECK(restarts() == 1);
        look();
        CHECK(restarts() == 2);
        for (int minutes = 0; minutes < 60; ++minutes)
            for (int looks = 0; looks < 6; ++looks) look();
        CHECK(restarts() > 6);
        CHECK(restarts() < 13);
        ::unlink(count);
    }

    TEST_CASE_FIXTURE(Fixture, "a configuration that feeds no dnsmasq leaves its files alone") {
        config.announce.dhcpv4 = DhcpCarrier::off;
        Companion idle(config, files);
        idle.restore("options", now);
        idle.set_options("options");
        idle.look(now);
        CHECK(files.files.empty());
        CHECK(idle.trouble() == "");
    }
}

}  // namespace
}  // namespace porchlight::agent
