#include "agent/guard_rules.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

/// An nft with one table at most, which fails where a test wants it to.
struct PretendedNft {
    std::string table{};
    std::optional<Error> fails{};

    Result<std::string> run(const std::vector<std::string>& arguments, Bytes input) {
        if (fails) return *fails;
        if (arguments[0] == "list" && table.empty())
            return Error{Errc::refused, "nft: Error: No such file or directory"};
        if (arguments[0] == "list") return table;
        const std::string_view script = text_of(input);
        const std::size_t begins = script.find("table bridge porchlight_guard {");
        table = begins == script.npos ? "" : script.substr(begins);
        return std::string();
    }
    GuardRules::Nft nft() {
        return [this](const auto& arguments, Bytes input) { return run(arguments, input); };
    }
};

const GuardDropped some_dropped{{{42, 0, 8, 1}}, 7};

const Error killed{Errc::timeout, "nft took too long and was killed"};
const Error absent{Errc::unavailable, "nft: no such program"};

TEST_SUITE("agent/guard_rules") {
    TEST_CASE("rules that can't be asked for are not taken for gone") {
        PretendedNft nft;
        GuardRules rules(nft.nft());
        CHECK(!rules.may_stand());
        REQUIRE(rules.load({true, {{"lan1"}}, {}}));
        CHECK(rules.look());
        for (const Error& error : {killed, absent}) {
            nft.fails = error;
            CHECK(rules.look());
            CHECK(rules.loaded());
        }
        // The control: where nft says no, they are.
        nft.fails.reset();
        nft.table.clear();
        CHECK(!rules.look());
        CHECK(!rules.loaded());
    }

    TEST_CASE("what was loaded is taken away at last, whatever failed on the way") {
        PretendedNft nft;
        GuardRules rules(nft.nft());
        REQUIRE(rules.load({true, {{"lan1"}}, {}}));
        for (const Error& error : {killed, absent, Error{Errc::refused, "nft: failed"}}) {
            nft.fails = error;
            (void)rules.look();
            CHECK(!rules.unload());
            CHECK(rules.may_stand());
        }
        nft.fails.reset();
        CHECK(rules.unload());
        CHECK(nft.table.empty());
        CHECK(!rules.may_stand());
        CHECK(!rules.loaded());
    }

    TEST_CASE("loading that failed may have loaded all the same") {
        PretendedNft nft;
        GuardRules rules(nft.nft());
        nft.fails = killed;
        CHECK(!rules.load({true, {{"lan1"}}, {}}));
        CHECK(!rules.loaded());
        CHECK(rules.may_stand());
    }

    TEST_CASE("rules of a process before are taken away; none are where nft says no") {
        PretendedNft nft{"table bridge porchlight_guard {}"};
        CHECK(GuardRules(nft.nft()).unload());
        CHECK(nft.table.empty());
        CHECK(GuardRules(nft.nft()).unload());
        nft.fails = absent;
        CHECK(GuardRules(nft.nft()).unload());
        nft.fails = killed;
        GuardRules rules(nft.nft());
        CHECK(!rules.unload());
        CHECK(rules.may_stand());
    }

    TEST_CASE("what was dropped is counted on over a reload, and while nothing is dropped") {
        PretendedNft nft;
        GuardRules rules(nft.nft());
        REQUIRE(rules.load({true, {{"lan1"}}, {}}));
        nft.table = guard_rules({}, some_dropped);
        REQUIRE(rules.load({true, {{"lan2"}}, {}}));
        CHECK(rules.dropped() == some_dropped);
        CHECK(nft.table.find("packets 42") != std::string::npos);
        REQUIRE(rules.unload());
        CHECK(rules.dropped() == some_dropped);
        REQUIRE(rules.load({true, {{"lan1"}}, {}}));
        CHECK(nft.table.find("packets 42") != std::string::npos);
    }

    TEST_CASE("strangers' ports are named, what is trusted is not looked at") {
        const std::string rules =
            guard_rules({true, {{"lan1"}, {"wlan0"}}, {{{2, 0, 0x5e, 0x10, 0, 1}}}});
        CHECK(rules.find("set ports { type ifname; elements = { \"lan1\", \"wlan0\" }; }") !=
              std::string::npos);
        CHECK(rules.find("set trusted { type ether_addr; elements = { 02:00:5e:10:00:01 }; }") !=
              std::string::npos);
        CHECK(rules.find("iifname @ports ether saddr != @trusted jump strangers") !=
              std::string::npos);
    }

    TEST_CASE("frames of other VLANs are another network's, bridge by bridge") {
        const std::string rules = guard_rules({true, {{"lan1", 10}, {"wlan1"}, {"lan2", 10}}, {}});
        CHECK(rules.find("iifname { \"lan1\", \"lan2\" } @ll,96,16 { 0x8100, 0x88a8 } "
                         "@ll,112,16 & 0x0fff != { 0, 10 } return") != std::string::npos);
        CHECK(rules.find("iifname { \"wlan1\" } @ll,96,16 { 0x8100, 0x88a8 } "
                         "@ll,112,16 & 0x0fff != 0 return") != std::string::npos);
        CHECK(guard_rules({}).find("@ll") == std::string::npos);
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

    TEST_CASE("what was dropped is read by kind, and counted on in rules that are loaded anew") {
        const std::string listed =
            "table bridge porchlight_guard {\n"
            "\tcounter blocked_router_advertisement {\n\t\tpackets 42 bytes 4711\n\t}\n"
            "\tcounter blocked_dhcpv6 {\n\t\tpackets 0 bytes 0\n\t}\n"
            "\tcounter blocked_dhcpv4 {\n\t\tpackets 8 bytes 4711\n\t}\n"
            "\tcounter blocked_hidden {\n\t\tpackets 1 bytes 1\n\t}\n"
            "\tcounter forged {\n\t\tpackets 7 bytes 460\n\t}\n";
        CHECK(dropped_in(listed) == some_dropped);
        CHECK(dropped_in(guard_rules({}, some_dropped)) == some_dropped);
        for (const char* const word : {"counter blocked_dhcpv6", "packets 1", "counter forged"}) {
            CAPTURE(word);
            CHECK(!dropped_in(listed.substr(0, listed.find(word))));
        }
        CHECK(!dropped_in(listed.substr(0, listed.find("7 bytes 460")) + "many"));
    }
}

}  // namespace
}  // namespace porchlight::agent
