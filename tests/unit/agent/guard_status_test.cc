#include "agent/guard_status.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

const Clock::time_point now = Clock::time_point(10000s);

GuardStatus some_status() {
    Rogue rogue;
    rogue.link = "br-lan";
    rogue.port = "lan3";
    rogue.mac = {{2, 0, 0x5e, 0x10, 0, 0x66}};
    rogue.kind = ServerKind::dhcpv4;
    rogue.threat = Threat::resolver;
    rogue.address = *parse_address("192.168.77.66");
    rogue.server = "192.168.77.66";
    rogue.resolvers = {{"rogue.example\n at 192.0.2.66"}};
    rogue.first_seen = now - 100s;
    rogue.last_seen = now - 3s;
    rogue.messages = 5;
    GuardStatus guard;
    guard.detects = true;
    guard.ports = {{"br-lan", "lan3", 7}, {"br-lan", "lan4", 8}};
    guard.rogues = {rogue};
    guard.dropped.blocked = {{2, 0, 7, 0}};
    guard.counters.messages = {{0, 0, 5, 1}};
    guard.counters.naming = {{0, 0, 4, 0}};
    return guard;
}

TEST_SUITE("agent/guard_status") {
    TEST_CASE("a rogue is told with port, address and what it says") {
        const auto json = guard_json(some_status(), now);
        const auto& rogue = json["rogues"][0];
        CHECK(rogue["port"] == "lan3");
        CHECK(rogue["mac"] == "02:00:5e:10:00:66");
        CHECK(rogue["by"] == "DHCPv4");
        CHECK(rogue["threat"] == "resolver");
        CHECK(rogue["server"] == "192.168.77.66");
        CHECK(rogue["seconds_since_first"] == 100);
        CHECK(rogue["seconds_since_last"] == 3);
        CHECK(json["listens_at"].size() == 2);
        CHECK(json["counters"]["blocked"] == 9);
        CHECK(json["counters"]["messages"] == 6);
        CHECK(json["counters"]["by_kind"]["dhcpv4"].dump() ==
              R"({"messages":5,"naming_a_resolver":4,"blocked":7})");
        CHECK(json["blocks"] == false);
    }

    TEST_CASE("a person reads it without a stranger's octets reaching the terminal") {
        GuardStatus guard = some_status();
        std::string text = guard_text(guard_json(guard, now));
        CHECK(text.find("listening at lan3, lan4") != std::string::npos);
        CHECK(text.find("rogue.example\\x0a at 192.0.2.66; 5 messages from 192.168.77.66") !=
              std::string::npos);
        CHECK(text.find("blocked") == std::string::npos);
        guard.blocks = true;
        guard.rogues.clear();
        guard.ports.clear();
        text = guard_text(guard_json(guard, now));
        CHECK(text.find("listening nowhere; blocking") != std::string::npos);
        CHECK(text.find("  none\n  9 messages blocked\n") != std::string::npos);
        CHECK(text.find("another's address") == std::string::npos);
        guard.blocks = guard.detects = false;
        CHECK(guard_text(guard_json(guard, now)).empty());
        guard.validates_sources = true;
        guard.dropped.forged = 3;
        guard.leases = 12;
        CHECK(guard_text(guard_json(guard, now))
                  .find("3 packets dropped that came from another's address; 12 leases known") !=
              std::string::npos);
    }

    TEST_CASE("who is a threat is a warning, and many are summed up") {
        GuardStatus guard = some_status();
        REQUIRE(guard_warnings(guard).size() == 1);
        CHECK(guard_warnings(guard)[0] == sentence(guard.rogues[0]));
        guard.rogues[0].threat = Threat::beside;
        CHECK(guard_warnings(guard).empty());
        guard.rogues[0].threat = Threat::server;
        guard.rogues.resize(20, guard.rogues[0]);
        const auto many = guard_warnings(guard);
        REQUIRE(many.size() == 9);
        CHECK(many.back() == "and 12 more devices act as router or DHCP server of this home");
    }
}

}  // namespace
}  // namespace porchlight::agent
