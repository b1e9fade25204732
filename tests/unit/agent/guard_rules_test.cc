#include "agent/guard_rules.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

TEST_SUITE("agent/guard_rules") {
    TEST_CASE("strangers' ports are named, what is trusted is not looked at") {
        const std::string rules = guard_rules({{"lan1", "wlan0"}, {{{2, 0, 0x5e, 0x10, 0, 1}}}});
        CHECK(rules.find("set ports { type ifname; elements = { \"lan1\", \"wlan0\" }; }") !=
              std::string::npos);
        CHECK(rules.find("set trusted { type ether_addr; elements = { 02:00:5e:10:00:01 }; }") !=
              std::string::npos);
        CHECK(rules.find("iifname @ports ether saddr != @trusted jump strangers") !=
              std::string::npos);
    }

    TEST_CASE("without a port the table stands and drops nothing") {
        const std::string rules = guard_rules({});
        CHECK(rules.find("elements") == std::string::npos);
        CHECK(rules.find("set ports { type ifname; }") != std::string::npos);
    }

    TEST_CASE("it replaces what stood before in one transaction, and touches no other table") {
        const std::string rules = guard_rules({});
        CHECK(
            rules.starts_with("add table bridge porchlight_guard\n"
                              "delete table bridge porchlight_guard\n"));
        CHECK(rules.find("flush") == std::string::npos);
    }

    TEST_CASE("what was dropped is read, and counted on in rules that are loaded anew") {
        const char* const listed =
            "table bridge porchlight_guard {\n\tcounter blocked {\n\t\tpackets 42 bytes "
            "4711\n\t}\n";
        CHECK(blocked_in(listed) == 42);
        CHECK(!blocked_in("table bridge porchlight_guard {\n"));
        CHECK(!blocked_in("counter blocked {\n"));
        CHECK(!blocked_in("counter blocked {\n packets many"));
        CHECK(guard_rules({}, 42).find("counter blocked { packets 42 bytes 0 }") !=
              std::string::npos);
    }
}

}  // namespace
}  // namespace porchlight::agent
