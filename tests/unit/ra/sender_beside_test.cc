#include <doctest/doctest.h>

#include "simulated_link.h"

namespace porchlight::ra {
namespace {

const RouterHeader other_header{64, 0x40, 600s, 0ms, 0ms};
const RouterHeader no_router{64, 0x40, 0s, 0ms, 0ms};
const Buffer prefix_option =
    hex("0304 40 c0 00001518 00000a8c 00000000 20010db8000000000000000000000000");
const Buffer rdnss = hex("1903 0000 00000708 fd770000000000000000000000000001");

FullSettings settings() {
    FullSettings full;
    full.rdnss = {*parse_ipv6("fd77::1")};
    return full;
}

LinkFacts facts(bool with_prefix = true) {
    LinkFacts link;
    link.source = parse_ipv6("fe80::1");
    if (with_prefix) link.prefixes = {{{*parse_ipv6("2001:db8::"), 64}}};
    return link;
}

/// A link on which we have been the RA daemon for a while.
struct FullLink : SimulatedLink {
    FullLink() {
        sender.set_full(settings(), now);
        sender.set_link(facts(), now);
        sender.set_options({option_a}, now);
        run_for(100s);
        sent.clear();
    }
    bool only_supplements() const {
        return std::all_of(sent.begin(), sent.end(),
                           [](const Sent& one) { return is_supplement(one.message); });
    }
};

bool is_ours_in_full(const Advertisement& message) {
    return message.header.router_lifetime == 1800s && message.header.cur_hop_limit == 64;
}

TEST_SUITE("ra/sender, full form beside another daemon") {
    TEST_CASE("it yields: the other's header, our option alone, no farewell, nothing withdrawn") {
        FullLink link;
        link.daemon_speaks(other_header);
        CHECK(link.sender.yields());
        CHECK(!link.sender.is_full());
        link.run_for(500s);
        REQUIRE(!link.sent.empty());
        for (const auto& one : link.sent) {
            CHECK(one.message.options == NdOptions{option_a});
            CHECK(one.message.header.flags == 0x40);
            CHECK(one.message.header.router_lifetime >= 100s);
            CHECK(one.message.header.router_lifetime <= 600s);
        }
        CHECK(!link.sender.announced(link.now).full);
        CHECK(link.announced() == NdOptions{option_a});
    }

    TEST_CASE("one that was there first is never spoken against") {
        SimulatedLink link;
        link.sender.set_full(settings(), link.now);
        link.sender.set_link(facts(), link.now);
        link.sender.hold_full_until(link.now + 1s);
        link.sender.set_options({option_a}, link.now);
        link.sender.on_solicitation(host, link.now);
        link.run_for(900ms);
        CHECK(link.sent.empty());
        link.daemon_speaks(other_header, false);
        link.run_for(100s);
        REQUIRE(!link.sent.empty());
        for (const auto& one : link.sent) CHECK(is_supplement(one.message));
    }

    TEST_CASE("without another it speaks when the time of asking is over") {
        SimulatedLink link;
        link.sender.set_full(settings(), link.now);
        link.sender.set_link(facts(), link.now);
        link.sender.hold_full_until(link.now + 1s);
        link.sender.set_options({option_a}, link.now);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].at == begin + 1s);
        CHECK(is_ours_in_full(link.sent[0].message));
    }

    TEST_CASE("after the other's farewell and silence it is the daemon again") {
        FullLink link;
        link.daemon_speaks(other_header);
        link.run_for(30s);
        link.sent.clear();
        link.daemon_speaks(no_router);
        link.run_for(1900ms);
        CHECK(link.sent.empty());
        link.run_for(2s);
        CHECK(!link.sender.yields());
        REQUIRE(!link.sent.empty());
        CHECK(is_ours_in_full(link.sent[0].message));
        CHECK(link.sent[0].message.options == NdOptions{prefix_option, rdnss, option_a});
    }

    TEST_CASE("one that has lost its uplink answers, and keeps the link") {
        FullLink link;
        link.daemon_speaks(other_header);
        link.run_for(30s);
        link.daemon_speaks(no_router);
        link.run_for(500ms);
        link.sent.clear();
        link.daemon_answers(no_router);
        link.run_for(1h - 10s);
        CHECK(link.sender.yields());
        CHECK(link.only_supplements());
        for (const auto& one : link.sent) CHECK(one.message.header.router_lifetime == 0s);
    }

    TEST_CASE("one that dies without a word is followed before hosts lose their route") {
        FullLink link;
        link.daemon_speaks(other_header);
        const auto heard = link.now;
        link.run_for(1h);
        const auto first = std::find_if(link.sent.begin(), link.sent.end(), [](const auto& one) {
            return is_ours_in_full(one.message);
        });
        REQUIRE(first != link.sent.end());
        CHECK(first->at >= heard + 595s);
        CHECK(first->at < heard + 600s);
    }

    TEST_CASE("one that is known to have ended is followed at once") {
        FullLink link;
        link.daemon_speaks(other_header);
        link.run_for(100s);
        link.sent.clear();
        link.sender.on_daemon_ended(link.now);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(is_ours_in_full(link.sent[0].message));
        link.daemon_speaks(other_header);  // a mistake, then
        CHECK(link.sender.yields());
    }

    TEST_CASE("the last word of a dying daemon is no claim, hosts get their route back") {
        FullLink link;
        link.daemon_speaks(no_router);
        CHECK(link.sender.is_full());
        link.run_for(4s);
        REQUIRE(!link.sent.empty());
        CHECK(is_ours_in_full(link.sent[0].message));
        link.daemon_answers(no_router);
        CHECK(link.sender.yields());
    }

    TEST_CASE("a daemon that is no default router and does not answer is believed in the end") {
        FullLink link;
        for (int i = 0; i < 3; ++i) {
            link.daemon_speaks(no_router);
            CHECK(link.sender.is_full());
            link.run_for(30s);
        }
        link.daemon_speaks(no_router);
        CHECK(link.sender.yields());
    }

    TEST_CASE("a prefix that vanished meanwhile is told as gone by who is the daemon again") {
        FullLink link;
        link.daemon_speaks(other_header);
        link.run_for(10s);
        link.sender.set_link(facts(false), link.now);
        link.run_for(10s);
        CHECK(link.only_supplements());
        link.sent.clear();
        link.sender.on_daemon_ended(link.now);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].message.options == NdOptions{rdnss, option_a, withdrawn(prefix_option)});
    }

    TEST_CASE("a prefix that was vanishing goes on vanishing") {
        FullLink link;
        link.sender.set_link(facts(false), link.now);
        link.run_for(10s);
        link.daemon_speaks(other_header);
        link.sent.clear();
        link.run_for(100s);
        CHECK(link.only_supplements());
        link.sender.on_daemon_ended(link.now);
        link.run_for(4s);
        CHECK(link.sent.back().message.options ==
              NdOptions{rdnss, option_a, withdrawn(prefix_option)});
    }

    TEST_CASE("the end while it yields is a supplement's: the route stays the other's") {
        FullLink link;
        link.daemon_speaks(other_header);
        link.run_for(10s);
        link.sent.clear();
        link.sender.finish(link.now);
        link.run_for(2s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) {
            CHECK(one.message.options == NdOptions{withdrawn(option_a)});
            CHECK(one.message.header.router_lifetime > 500s);
        }
        CHECK(link.sender.silent());
    }

    TEST_CASE("settings that change while it yields are those it comes back with") {
        FullLink link;
        link.daemon_speaks(other_header);
        FullSettings lost = settings();
        lost.router_lifetime = 0s;
        link.sender.set_full(lost, link.now);
        CHECK(link.sender.yields());
        link.run_for(10s);
        link.sent.clear();
        link.sender.on_daemon_ended(link.now);
        link.run_for(1s);
        REQUIRE(!link.sent.empty());
        CHECK(link.sent[0].message.header == RouterHeader{64, 0, 0s, 0ms, 0ms});
        link.daemon_speaks(other_header);
        link.sender.set_full(std::nullopt, link.now);
        CHECK(!link.sender.yields());
        link.run_for(1h);
        CHECK(!link.sender.is_full());
    }

    TEST_CASE("a supplement that is to be the daemon yields to the one it stood beside") {
        SimulatedLink link;
        link.sender.set_link(facts(), link.now);
        link.daemon_speaks(other_header);
        link.sender.set_options({option_a}, link.now);
        link.sender.set_full(settings(), link.now);
        CHECK(link.sender.yields());
        link.run_for(100s);
        for (const auto& one : link.sent) CHECK(is_supplement(one.message));
    }

    TEST_CASE("prefixes of long ago wait for the uplink, and are not forgotten meanwhile") {
        SimulatedLink link;
        const Buffer former = withdrawn(prefix_option);
        link.sender.adopt_prefixes({former}, link.now);
        link.sender.set_full(settings(), link.now);
        link.sender.set_link(facts(false), link.now);
        link.sender.set_options({option_a}, link.now);
        CHECK(link.announced() == NdOptions{rdnss, option_a, former});
        link.run_for(60s);
        for (const auto& one : link.sent) CHECK(one.message.options == NdOptions{rdnss, option_a});
        link.sent.clear();
        SUBCASE("which brings them again") {
            link.sender.set_link(facts(), link.now);
            link.run_for(1h);
            for (const auto& one : link.sent)
                CHECK(one.message.options == NdOptions{prefix_option, rdnss, option_a});
        }
        SUBCASE("which brings others") {
            LinkFacts other = facts(false);
            other.prefixes = {{{*parse_ipv6("2001:db8:78::"), 64}}};
            link.sender.set_link(other, link.now);
            link.run_for(1s);
            REQUIRE(!link.sent.empty());
            CHECK(link.sent[0].message.options.back() == former);
        }
        SUBCASE("which does not come") {
            LinkFacts own = facts(false);
            own.prefixes = {{{*parse_ipv6("fd77::"), 64}}};
            link.sender.set_link(own, link.now);
            link.run_for(50s);
            for (const auto& one : link.sent) CHECK(one.message.options.size() == 3);
            link.run_for(10s);
            CHECK(link.sent.back().message.options.back() == former);
            CHECK(link.sent.back().at == begin + Sender::uplink_within);
        }
    }

    TEST_CASE("prefixes of long ago that are gone are told as such, those that are there are not") {
        SimulatedLink link;
        const Buffer gone =
            hex("0304 40 c0 00000000 00000000 00000000 20010db8007700000000000000000000");
        link.sender.adopt_prefixes({withdrawn(prefix_option), gone, rdnss}, link.now);
        link.sender.set_full(settings(), link.now);
        link.sender.set_link(facts(), link.now);
        link.sender.set_options({option_a}, link.now);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].message.options == NdOptions{prefix_option, rdnss, option_a, gone});
        link.run_for(5400s + 1800s);
        CHECK(link.sent.back().message.options == NdOptions{prefix_option, rdnss, option_a});
    }
}

// A daemon that tells of encrypted resolvers itself.

const Buffer adn = hex("fd02 01 00 00000708 03646e7300 000000");
const Buffer draft_addresses =
    hex("fe04 0000 00000708 01 00 0000 fd770000000000000000000000000001"
        "00000000");
const Buffer draft_unit = [] {
    Buffer both = adn;
    both.insert(both.end(), draft_addresses.begin(), draft_addresses.end());
    return both;
}();

/// A supplement that has been told of for a while.
struct SupplementLink : SimulatedLink {
    explicit SupplementLink(NdOptions options = {option_a}) {
        daemon_speaks();
        sender.set_options(std::move(options), now);
        run_for(50s);
        sent.clear();
    }
};

TEST_SUITE("ra/sender, beside a daemon that tells of encrypted resolvers") {
    TEST_CASE("ours are taken back and no longer sent") {
        SupplementLink link;
        link.daemon_tells({option_b});
        CHECK(link.sender.left_to_daemon(link.now) == NdOptions{option_a});
        link.run_for(1000s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent)
            CHECK(one.message.options == NdOptions{withdrawn(option_a)});
        link.sender.on_solicitation(host, link.now);
        link.run_for(1s);
        CHECK(link.sent.size() == 3);
        CHECK(link.announced().empty());
    }

    TEST_CASE("what the daemon tells alike is not taken back") {
        SupplementLink link({option_a, option_b});
        Buffer same = option_a;
        same[7] = 0x10;  // another Lifetime
        link.daemon_tells({same});
        link.run_for(1000s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent)
            CHECK(one.message.options == NdOptions{withdrawn(option_b)});
    }

    TEST_CASE("a withdrawal under way stops at what the daemon begins to tell") {
        SupplementLink link;
        link.sender.set_options({}, link.now);
        link.drain();
        REQUIRE(link.sent.size() == 1);
        link.daemon_tells({option_a});
        link.run_for(100s);
        CHECK(link.sent.size() == 1);
        CHECK(link.announced().empty());
    }

    TEST_CASE("at a start nothing of ours leaves beside it") {
        SimulatedLink link;
        link.sender.set_options({option_a}, link.now);
        link.daemon_tells({option_b});
        link.run_for(1000s);
        CHECK(link.sent.empty());
        link.sender.finish(link.now);
        link.run_for(2s);
        CHECK(link.sent.empty());
        CHECK(link.sender.silent());
    }

    TEST_CASE("that one advertisement lacks it means nothing") {
        SupplementLink link;
        link.daemon_tells({option_b});
        link.run_for(100s);
        link.sent.clear();
        link.daemon_speaks();
        link.run_for(1000s);
        CHECK(link.sent.empty());
    }

    TEST_CASE("when the daemon takes it back, ours are told at once") {
        SupplementLink link;
        link.daemon_tells({option_b});
        link.run_for(100s);
        link.sent.clear();
        link.daemon_tells({withdrawn(option_b)});
        CHECK(link.sender.left_to_daemon(link.now).empty());
        link.run_for(6s);
        REQUIRE(!link.sent.empty());
        CHECK(link.sent[0].message.options == NdOptions{option_a});
    }

    TEST_CASE("hosts that forget ours by the daemon's word hear it again each time") {
        SupplementLink link;
        link.daemon_tells({option_a});
        link.run_for(100s);
        for (int i = 0; i < 3; ++i) {
            link.daemon_tells({withdrawn(option_a)});
            link.sent.clear();
            link.run_for(7s);
            REQUIRE(!link.sent.empty());
            CHECK(link.sent[0].message.options == NdOptions{option_a});
        }
    }

    TEST_CASE("when its Lifetime has passed unheard, ours are told") {
        SupplementLink link;
        link.daemon_tells({option_b}, {64, 0, 9000s, 0ms, 0ms});
        const auto ends = link.now + 1800s;
        link.run_for(1799s);
        link.sent.clear();
        link.run_for(2s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].at == ends);
        CHECK(link.sent[0].message.options == NdOptions{option_a});
    }

    TEST_CASE("a daemon that comes anew without it leaves it to us, for ever or not") {
        SupplementLink link;
        Buffer for_ever_b = option_b;
        std::fill(for_ever_b.begin() + 4, for_ever_b.begin() + 8, std::uint8_t(0xff));
        link.daemon_tells({for_ever_b});
        link.run_for(2000s);  // more than its Router Lifetime
        link.sent.clear();
        link.daemon_speaks();
        link.run_for(4s);
        REQUIRE(!link.sent.empty());
        CHECK(link.sent[0].message.options == NdOptions{option_a});
    }

    TEST_CASE("other types stay ours, a pair of the draft's is the daemon's as a whole") {
        SupplementLink link({option_a, draft_unit});
        link.daemon_tells({adn});
        CHECK(link.sender.left_to_daemon(link.now) == NdOptions{draft_unit});
        link.run_for(4s);
        REQUIRE(!link.sent.empty());
        // The name is the daemon's word, too.
        CHECK(link.sent[0].message.options == NdOptions{option_a, withdrawn(draft_addresses)});
    }

    TEST_CASE("plain resolvers and unknown options of a daemon touch nothing of ours") {
        SupplementLink link;
        link.daemon_tells({rdnss, hex("c801 0000 00000708")});
        CHECK(link.sender.left_to_daemon(link.now).empty());
        CHECK(link.sender.daemon_tells(link.now).size() == 2);
        link.run_for(10s);
        for (const auto& one : link.sent) CHECK(one.message.options == NdOptions{option_a});
    }
}

}  // namespace
}  // namespace porchlight::ra
