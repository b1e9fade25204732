#include "agent/former_run.h"

#include <doctest/doctest.h>

#include "agent/state_files.h"
#include "config_fixture.h"

namespace porchlight::agent {
namespace {

Config feeding_config() {
    Config config;
    config.upstream.resize(1);
    config.announce.dhcpv4 = DhcpCarrier::dnsmasq;
    config.announce.dhcpv6 = DhcpCarrier::dnsmasq;
    config.dnsmasq.fragment = "/etc/dnsmasq.d/porchlight.conf";
    config.dnsmasq.pid_file = "/run/dnsmasq.pid";
    config.state_directory = "/state";
    config.runtime_directory = "/run/porchlight-test";
    return config;
}

/// full_config with its directories elsewhere, which is no place of this machine.
std::string full_config_in(const std::string& state, const std::string& runtime) {
    return with(with(full_config, "/tmp/state", state), "/tmp/run\"", runtime + "\"");
}

Buffer octets(std::string_view text) {
    return {text.begin(), text.end()};
}

TEST_SUITE("agent/former_run") {
    TEST_CASE("what goes on unchanged leaves nothing behind") {
        const Config former = feeding_config();
        CHECK(left_behind(former, former) == LeftBehind{});
        Config next = former;
        next.announce.dhcpv6 = DhcpCarrier::odhcpd;
        next.dnsmasq.pid_file = "/run/dnsmasq/dnsmasq.pid";
        CHECK(left_behind(former, next) == LeftBehind{});
    }

    TEST_CASE("a dnsmasq that is told nothing any more, or elsewhere, is let go") {
        const Config former = feeding_config();
        const LeftBehind everything{true, false};
        Config next = former;
        next.mode = Mode::off;
        next.upstream.clear();
        CHECK(left_behind(former, next) == everything);
        next = former;
        next.announce.dhcpv4 = DhcpCarrier::off;
        next.announce.dhcpv6 = DhcpCarrier::odhcpd;
        CHECK(left_behind(former, next) == everything);
        next = former;
        next.runtime_directory = "/elsewhere";
        CHECK(left_behind(former, next) == everything);
        next = former;
        next.dnsmasq.fragment = "/etc/other/porchlight.conf";
        CHECK(left_behind(former, next) == LeftBehind{false, true});
        next.dnsmasq.pid_file = "/run/other.pid";
        CHECK(left_behind(former, next) == everything);
    }

    TEST_CASE("hosts are told alike by what differs in nothing that they could see") {
        const Config former = *parse(full_config).config;
        Config next = former;
        CHECK(tells_alike(former, next));
        next.upstream.clear();
        next.cache.size_bytes_max = 1;
        next.log.level = log::Level::error;
        next.workers = 1;
        next.do53.port = 5454;
        CHECK(tells_alike(former, next));
        for (const auto& change : std::vector<void (*)(Config&)>{
                 [](Config& config) { config.mode = Mode::off; },
                 [](Config& config) { config.lan.pop_back(); },
                 [](Config& config) { config.resolver->adn = *dns::parse_name("b.example"); },
                 [](Config& config) { config.resolver->dot.port = 853; },
                 [](Config& config) { config.announce.dhcpv6 = DhcpCarrier::dnsmasq; },
                 [](Config& config) { config.announce.forms.code_points.dhcpv4 = 232; },
                 [](Config& config) { config.announce.groups.clear(); },
                 [](Config& config) { config.certificate.acme.reset(); }}) {
            Config other = former;
            change(other);
            CHECK(!tells_alike(former, other));
        }
    }

    TEST_CASE("a run that ended cleanly left no configuration") {
        MemoryStorage files;
        const std::string json = full_config_in("/t/state", "/t/run");
        const Config config = *parse(json).config;
        const auto none = find_former_run(config, bytes_of(json), files);
        REQUIRE(none);
        CHECK(!*none);
        files.files["/t/state/config.json"] =
            octets(with(json, R"("log": {"level": "debug")", R"("log": {"level": "info")"));
        const auto found = find_former_run(config, bytes_of(json), files);
        REQUIRE((found && *found));
        CHECK((*found)->file == "/t/state/config.json");
        CHECK((*found)->alike);
        files.files["/t/state/config.json"] =
            octets(with(json, "cpe1.example.net\", \"dot\"", "cpe2.example.net\", \"dot\""));
        CHECK(!find_former_run(config, bytes_of(json), files)->value().alike);
    }

    TEST_CASE("a state directory that was edited is found where it is by default") {
        MemoryStorage files;
        files.files["/var/lib/porchlight/config.json"] =
            octets(full_config_in("/var/lib/porchlight", "/t/run"));
        const std::string json = full_config_in("/t/state", "/t/run");
        const auto found = find_former_run(*parse(json).config, bytes_of(json), files);
        REQUIRE((found && *found));
        CHECK((*found)->config.state_directory == "/var/lib/porchlight");
    }

    TEST_CASE("what Router Advertisements told is taken along to another runtime directory") {
        MemoryStorage files;
        FormerRun former;
        former.config = feeding_config();
        files.files["/run/porchlight-test/announced"] = octets("list");
        Config next = former.config;
        CHECK(empty_former_directories(former, next, files));
        CHECK(files.files.contains("/run/porchlight-test/announced"));
        next.runtime_directory = "/t/run";
        CHECK(empty_former_directories(former, next, files));
        CHECK(files.files["/t/run/announced"] == octets("list"));
        CHECK(!files.files.contains("/run/porchlight-test/announced"));
    }
}

}  // namespace
}  // namespace porchlight::agent
