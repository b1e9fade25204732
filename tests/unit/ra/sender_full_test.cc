#include <doctest/doctest.h>

#include <map>

#include "simulated_link.h"

namespace porchlight::ra {
namespace {

FullSettings settings_with_resolver() {
    FullSettings settings;
    settings.rdnss = {*parse_ipv6("fd77::1")};
    return settings;
}

LinkFacts link_with(std::vector<LinkFacts::OwnPrefix> prefixes) {
    LinkFacts link;
    link.source = parse_ipv6("fe80::1");
    link.mtu_octets = 1500;
    link.prefixes = std::move(prefixes);
    return link;
}

const LinkFacts::OwnPrefix ula{{*parse_ipv6("fd77::"), 64}};
const LinkFacts::OwnPrefix gua{{*parse_ipv6("2001:db8::"), 64}};

const Buffer mtu = hex("0501 0000 000005dc");
const Buffer ula_option =
    hex("0304 40 c0 00001518 00000a8c 00000000 fd770000000000000000000000000000");
const Buffer gua_option =
    hex("0304 40 c0 00001518 00000a8c 00000000 20010db8000000000000000000000000");
const Buffer rdnss = hex("1903 0000 00000708 fd770000000000000000000000000001");

/// A link on which we are the RA daemon.
struct FullLink : SimulatedLink {
    FullLink() {
        sender.set_full(settings_with_resolver(), now);
        sender.set_link(link_with({ula, gua}), now);
    }
};

TEST_SUITE("ra/sender, full form") {
    TEST_CASE("everything is in one advertisement, at once and without a daemon") {
        FullLink link;
        link.run_for(10s);
        CHECK(link.sent.empty());  // what is announced is not known yet
        link.sender.set_options({option_a}, link.now);
        CHECK(link.sender.can_announce(link.now));
        link.run_for(40s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) {
            CHECK(one.message.header == RouterHeader{64, 0, 1800s, 0ms, 0ms});
            CHECK(one.message.options == NdOptions{mtu, ula_option, gua_option, rdnss, option_a});
        }
        link.sender.on_solicitation(host, link.now);
        link.run_for(1s);
        CHECK(link.sent.back().to == host);
    }

    TEST_CASE("a router without encrypted resolvers is a router") {
        FullLink link;
        link.sender.set_options({}, link.now);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].message.options == NdOptions{mtu, ula_option, gua_option, rdnss});
    }

    TEST_CASE("nothing leaves before the link has an address to send from") {
        SimulatedLink link;
        link.sender.set_full(settings_with_resolver(), link.now);
        link.sender.set_options({option_a}, link.now);
        link.run_for(1h);
        CHECK(link.sent.empty());
        link.sender.set_link(link_with({}), link.now);
        link.run_for(1s);
        CHECK(link.sent.size() == 1);
    }

    TEST_CASE("RFC 7084 G-5: a route that is lost is told at once") {
        FullLink link;
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        FullSettings lost = settings_with_resolver();
        lost.router_lifetime = 0s;
        link.sender.set_full(lost, link.now);
        link.run_for(40s);
        REQUIRE(link.sent.size() == 3);
        CHECK(link.sent[0].at == begin + 100s);
        for (const auto& one : link.sent) {
            CHECK(one.message.header.router_lifetime == 0s);
            CHECK(one.message.options.size() == 5);
        }
    }

    TEST_CASE("RFC 9096 section 3.5: a prefix that vanished is told as long as hosts may know it") {
        FullLink link;
        link.sender.set_options({option_a}, link.now);
        link.run_for(1000s);
        link.sent.clear();
        const auto vanished = link.now;
        link.sender.set_link(link_with({ula}), link.now);
        const NdOptions both{mtu, ula_option, rdnss, option_a, withdrawn(gua_option)};
        CHECK(link.announced() == both);
        link.run_for(5300s);
        REQUIRE(link.sent.size() >= 3 + 5300 / 600);
        CHECK(link.sent[0].at == vanished);
        for (const auto& one : link.sent) CHECK(one.message.options == both);
        link.sender.on_solicitation(host, link.now);
        link.run_for(1s);
        CHECK(link.sent.back().to == host);
        CHECK(link.sent.back().message.options == both);
        link.run_for(200s);
        link.sent.clear();
        link.run_for(1200s);
        REQUIRE(!link.sent.empty());
        for (const auto& one : link.sent)
            CHECK(one.message.options == NdOptions{mtu, ula_option, rdnss, option_a});
    }

    TEST_CASE("prefixes that come and go are taken back thrice and not remembered for ever") {
        FullLink link;
        link.sender.set_options({option_a}, link.now);
        link.run_for(20s);
        constexpr unsigned changes = 3 * Sender::vanished_prefixes_max;
        std::map<Buffer, unsigned> taken_back;
        for (unsigned i = 1; i < changes; ++i) {
            LinkFacts::OwnPrefix one = gua;
            one.prefix.address.octets[7] = std::uint8_t(i);
            link.sender.set_link(link_with({one}), link.now);
            link.run_for(20s);
        }
        for (const auto& one : link.sent)
            for (const Buffer& unit : one.message.options)
                if (is_prefix(unit) && !is_preferred(unit)) ++taken_back[unit];
        CHECK(taken_back.size() == changes);  // the two at first, and all since but the last
        for (const auto& [unit, times] : taken_back) CHECK(times >= Sender::withdrawals);
        CHECK(link.announced().size() <= Sender::vanished_prefixes_max + 4 + 1);
    }

    TEST_CASE("a prefix that comes back is no longer deprecated") {
        FullLink link;
        link.sender.set_options({}, link.now);
        link.run_for(100s);
        link.sender.set_link(link_with({ula}), link.now);
        link.run_for(100s);
        link.sender.set_link(link_with({ula, gua}), link.now);
        link.sent.clear();
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].message.options == NdOptions{mtu, ula_option, gua_option, rdnss});
    }

    TEST_CASE("a prefix that ends runs out, a lifetime that was extended is no news") {
        FullLink link;
        LinkFacts::OwnPrefix short_lived = gua;
        short_lived.valid_until = short_lived.preferred_until = begin + 1000s;
        link.sender.set_link(link_with({ula, short_lived}), link.now);
        link.sender.set_options({}, link.now);
        link.run_for(900s);
        const Buffer last = link.sent.back().message.options[2];
        CHECK(valid_lifetime(last) ==
              std::chrono::floor<std::chrono::seconds>(begin + 1000s - link.sent.back().at));
        link.sent.clear();
        link.sender.set_link(link_with({ula, gua}), link.now);
        link.run_for(1s);
        CHECK(link.sent.empty());
        link.run_for(600s);
        REQUIRE(!link.sent.empty());
        CHECK(link.sent[0].message.options[2] == gua_option);
    }

    TEST_CASE("a resolver that changes is replaced in one advertisement") {
        FullLink link;
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        FullSettings other = settings_with_resolver();
        other.rdnss = {*parse_ipv6("fd77::2")};
        link.sender.set_full(other, link.now);
        link.sender.set_options({option_b}, link.now);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        const Buffer new_rdnss = hex("1903 0000 00000708 fd770000000000000000000000000002");
        CHECK(link.sent[0].message.options == NdOptions{mtu, ula_option, gua_option, new_rdnss,
                                                        option_b, withdrawn(rdnss),
                                                        withdrawn(option_a)});
    }

    TEST_CASE("at the end hosts lose route and resolvers, and keep their addresses") {
        FullLink link;
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        link.sender.finish(link.now);
        CHECK(link.sender.announced(link.now).full);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) {
            CHECK(one.message.header == RouterHeader{64, 0, 0s, 0ms, 0ms});
            CHECK(one.message.options == NdOptions{withdrawn(rdnss), withdrawn(option_a)});
        }
        CHECK(link.sender.silent());
        CHECK(!link.sender.announced(link.now).standing());
        link.run_for(1h);
        CHECK(link.sent.size() == 3);
    }

    TEST_CASE("the last words have no preference, and need no option to be said") {
        SimulatedLink link;
        FullSettings settings;
        settings.preference = FullSettings::Preference::high;
        settings.managed = true;
        LinkFacts bare;
        bare.source = parse_ipv6("fe80::1");
        link.sender.set_full(settings, link.now);
        link.sender.set_link(bare, link.now);
        link.sender.set_options({}, link.now);
        link.run_for(1s);
        CHECK(link.sender.announced(link.now).standing());
        link.sender.finish(link.now);
        link.run_for(2s);
        REQUIRE(link.sent.size() == 4);
        CHECK(link.sent[0].message.header.flags == 0x88);
        CHECK(link.sent[3].message.header == RouterHeader{64, 0x80, 0s, 0ms, 0ms});
    }

    TEST_CASE("a form that never spoke ends without a word") {
        FullLink link;
        link.sender.finish(link.now);
        link.run_for(10s);
        CHECK(link.sent.empty());
        CHECK(link.sender.silent());
    }

    TEST_CASE("a router that becomes a supplement leaves the route to the daemon") {
        FullLink link;
        link.sender.set_options({option_a}, link.now);
        link.run_for(100s);
        link.sent.clear();
        link.sender.set_full(std::nullopt, link.now);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].message.header.router_lifetime == 0s);
        CHECK(link.sent[0].message.options == NdOptions{withdrawn(rdnss)});
        link.daemon_speaks(daemon_header, false);
        link.run_for(100s);
        REQUIRE(link.sent.size() > 2);
        for (std::size_t i = 1; i < link.sent.size(); ++i) {
            CHECK(link.sent[i].message.header.router_lifetime > 1600s);
            CHECK(link.sent[i].message.options == NdOptions{option_a});
        }
    }

    // What a process left that died.
    Announced left_by_full() {
        FullLink dead;
        dead.sender.set_options({option_a}, dead.now);
        dead.run_for(1s);
        Announced left = dead.sender.announced(dead.now);
        left.source = *parse_ipv6("fe80::1");
        return left;
    }

    TEST_CASE("after a crash a router goes on, and remembers what prefix is gone") {
        SimulatedLink link;
        link.sender.adopt(left_by_full(), link.now + 1500ms);
        link.sender.set_full(settings_with_resolver(), link.now);
        link.sender.set_link(link_with({ula}), link.now);
        link.sender.set_options({option_b}, link.now);
        link.run_for(1s);
        REQUIRE(link.sent.size() == 1);
        CHECK(link.sent[0].message.options == NdOptions{mtu, ula_option, rdnss, option_b,
                                                        withdrawn(gua_option),
                                                        withdrawn(option_a)});
        link.run_for(700s);
        CHECK(link.sent.back().message.options ==
              NdOptions{mtu, ula_option, rdnss, option_b, withdrawn(gua_option)});
    }

    TEST_CASE("after a crash nothing stays of a router that is none any more") {
        SimulatedLink link;
        link.sender.adopt(left_by_full(), link.now + 1500ms);
        link.sender.set_options({}, link.now);
        link.run_for(1400ms);
        CHECK(link.sent.empty());
        link.run_for(60s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) {
            CHECK(one.message.header.router_lifetime == 0s);
            CHECK(one.message.options == NdOptions{withdrawn(rdnss), withdrawn(option_a)});
        }
    }

    TEST_CASE("after a crash another daemon's route and resolvers are left alone") {
        SimulatedLink link;
        link.sender.adopt(left_by_full(), link.now + 1500ms);
        link.sender.set_options({}, link.now);
        link.daemon_speaks(daemon_header, false);
        link.run_for(60s);
        REQUIRE(link.sent.size() == 3);
        for (const auto& one : link.sent) {
            CHECK(one.message.header.router_lifetime > 1700s);
            CHECK(one.message.options == NdOptions{withdrawn(option_a)});
        }
    }

    TEST_CASE("64 links of 32 resolvers: packets within 1280 octets, 3 s apart") {
        NdOptions resolvers;
        for (std::uint8_t i = 0; i < 32; ++i)
            resolvers.push_back(
                hex("9008 0001 00000708 0012 04646e7331 076578616d706c65 036e6574 00"
                    "0010 fd770000000000000000000000000001"
                    "000e 0001 0004 03646f74 0003 0002 0355 0000"));
        for (std::uint8_t i = 0; i < 32; ++i) resolvers[i][3] = std::uint8_t(i + 1);
        for (const Buffer& one : resolvers) REQUIRE(is_sendable(one, Sender::option_octets_max));
        std::vector<FullLink> links(64);
        const auto started = std::chrono::steady_clock::now();
        for (FullLink& link : links) {
            link.sender.set_options(resolvers, link.now);
            link.run_for(1h);
        }
        const auto took = std::chrono::steady_clock::now() - started;
        std::size_t packets = 0;
        for (const FullLink& link : links) {
            packets += link.sent.size();
            for (const auto gap : link.gaps()) CHECK(gap >= 3s);
            NdOptions round;
            for (std::size_t i = 0; i < 2; ++i)
                round.insert(round.end(), link.sent[i].message.options.begin(),
                             link.sent[i].message.options.end());
            CHECK(round.size() == 4 + 32);
        }
        MESSAGE("an hour of ", links.size(), " links: ", packets, " packets, ",
                std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), " ms");
    }
}

}  // namespace
}  // namespace porchlight::ra
