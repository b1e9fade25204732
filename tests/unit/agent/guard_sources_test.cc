#include "agent/guard_sources.h"

#include <doctest/doctest.h>

#include "agent/guard_rules.h"

namespace porchlight::agent {
namespace {

TEST_SUITE("agent/guard_sources") {
    TEST_CASE("whose is which address, link by link, of the home's VLAN alone") {
        Blockade blockade;
        blockade.sources = {
            {{{{"lan1"}, {"lan2", 10}}, {*parse_address("192.168.1.1"), *parse_address("fe80::1")}},
             {{{"wlan1"}}, {*parse_address("fe80::2")}}},
            {{{{2, 0, 0x5e, 0x10, 0, 1}}, *parse_ipv4("192.168.1.23")},
             {{{2, 0, 0x5e, 0x10, 0, 2}}, *parse_ipv4("192.168.1.24")}}};
        const std::string rules = guard_rules(blockade);
        for (const char* const line :
             {"set home0 { type ifname; elements = { \"lan1\", \"lan2\" }; }",
              "set own4_0 { type ipv4_addr; elements = { 192.168.1.1 }; }",
              "set own6_0 { type ipv6_addr; elements = { fe80::1 }; }",
              "set home1 { type ifname; elements = { \"wlan1\" }; }",
              "set own4_1 { type ipv4_addr; }",
              "set own6_1 { type ipv6_addr; elements = { fe80::2 }; }",
              "set leased { type ether_addr . ipv4_addr; elements = { 02:00:5e:10:00:01 . "
              "192.168.1.23, 02:00:5e:10:00:02 . 192.168.1.24 }; }",
              "set leased4 { type ipv4_addr; elements = { 192.168.1.23, 192.168.1.24 }; }",
              "iifname @home0 ether saddr != @trusted jump own0\n",
              "iifname @home1 ether saddr != @trusted jump own1\n",
              "@th,64,128 0xfe800000000000000000000000000001 counter name forged drop",
              "@th,288,48 0x02005e100002 ether saddr != 02:00:5e:10:00:02 counter name forged drop",
              "iifname { \"lan2\" } @ll,96,16 { 0x8100, 0x88a8 } @ll,112,16 & 0x0fff != { 0, 10 } "
              "return"})
            CHECK_MESSAGE(rules.find(line) != std::string::npos, line);
        // The control: nobody asked.
        CHECK(guard_rules({}).find("prerouting") == std::string::npos);
    }
}

}  // namespace
}  // namespace porchlight::agent
