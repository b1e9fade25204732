#include "agent/config_change.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

Config some_config() {
    Config config;
    config.lan = {{"br-lan"}};
    config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
    return config;
}

bool is_nothing(const ConfigChange& change) {
    return !change.needs_restart && !change.listeners && !change.advertisements && !change.wan;
}

TEST_SUITE("agent/config_change") {
    TEST_CASE("sockets that would be opened alike are left alone") {
        const Config before = some_config();
        CHECK(is_nothing(change_between(before, before)));
        Config after = before;
        after.resolver->adn = *dns::parse_name("cpe2.example.net");
        after.cache.size_bytes_max = 1 << 20;
        CHECK(is_nothing(change_between(before, after)));
    }

    TEST_CASE("another port, link or companion needs other sockets") {
        const Config before = some_config();
        Config after = before;
        after.resolver->dot.port = 8853;
        CHECK(change_between(before, after).listeners);
        CHECK(!change_between(before, after).advertisements);
        after = before;
        after.resolver.reset();
        CHECK(change_between(before, after).listeners);
        after = before;
        after.lan.push_back({"br-guest"});
        CHECK(change_between(before, after).listeners);
        CHECK(change_between(before, after).advertisements);
        after = before;
        after.upstream.resize(1);
        CHECK(change_between(before, after).listeners);
        after = before;
        after.announce.ra_interval = std::chrono::seconds(60);
        CHECK(!change_between(before, after).listeners);
        CHECK(change_between(before, after).advertisements);
    }

    TEST_CASE("another WAN is listened to, and nothing else is touched") {
        Config before = some_config();
        before.upstream.resize(1);
        Config after = before;
        after.wan = {{"eth0"}};
        ConfigChange change = change_between(before, after);
        CHECK(change.wan);
        change.wan = false;
        CHECK(is_nothing(change));
        // Where nobody is named, whom the WAN offers is asked: dnsmasq needs somebody to ask.
        before.upstream.clear();
        after.upstream.clear();
        CHECK(change_between(before, after).listeners);
    }

    TEST_CASE("what is settled when the processes start needs a restart") {
        const Config before = some_config();
        Config after = before;
        after.workers = 2;
        CHECK(change_between(before, after).needs_restart);
        after = before;
        after.users.agent = "nobody";
        CHECK(change_between(before, after).needs_restart);
        after = before;
        after.state_directory = "/elsewhere";
        CHECK(change_between(before, after).needs_restart);
    }
}

}  // namespace
}  // namespace porchlight::agent
