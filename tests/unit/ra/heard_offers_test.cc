#include "ra/heard_offers.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "hex.h"
#include "ra/options.h"
#include "ra/pvd_option.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Clock::time_point begin = Clock::time_point(1000s);
const Ipv6 router = *parse_ipv6("fe80::1");
const Ipv6 second = *parse_ipv6("fe80::2");
const Buffer dns_isp = hex("9002 0001 00000708 0005 03646e7300 00");
const Buffer dot_isp = hex("9002 0002 00000708 0005 03646f7400 00");
const Buffer rdnss = hex("1903 0000 00000258 20010db8000000000000000000000053");
// "dns." by DoT at 2001:db8::53, for half an hour each.
const Buffer draft_name = hex("fd 02 01 00 00000708 03646e7300 000000");
const Buffer draft_addresses =
    hex("fe 04 0000 00000708 01 00 0000 20010db8000000000000000000000053 00000000");

dns::Forms both_forms() {
    dns::Forms forms;
    forms.formats = {dns::Format::rfc9463, dns::Format::draft_btw_11};
    return forms;
}

Buffer lasting(Buffer option, std::uint32_t seconds) {
    for (std::size_t i = 0; i < 4; ++i) option[4 + i] = std::uint8_t(seconds >> (24 - 8 * i));
    return option;
}

Buffer message(const NdOptions& options, std::chrono::seconds router_lifetime = 1800s) {
    Writer out;
    write(out, Advertisement{{64, 0, router_lifetime, {}, {}}, options});
    return *out.take();
}

struct Link {
    HeardOffers heard;
    Clock::time_point now = begin;

    HeardOffers::Verdict hear(const NdOptions& options, const Ipv6& from = router) {
        return heard.on_message(message(options), {from, 255}, now);
    }
    std::vector<std::string> offered() const {
        std::vector<std::string> names;
        for (const auto& one : heard.offered(now)) names.push_back(to_host(one.resolver.adn));
        return names;
    }
};

using Names = std::vector<std::string>;

TEST_SUITE("ra/heard_offers") {
    TEST_CASE("what a router tells of resolvers is known by its address, until its own end") {
        Link link;
        CHECK(link.hear({dns_isp, rdnss, hex("0501 0000 000005dc")}).complaints.empty());
        const auto routers = link.heard.routers(link.now);
        REQUIRE(routers.size() == 1);
        CHECK(routers[0].address == router);
        CHECK(routers[0].heard_at == begin);
        REQUIRE(routers[0].resolvers.size() == 1);
        CHECK(routers[0].resolvers[0].until == begin + 1800s);
        CHECK(routers[0].resolvers[0].resolver.priority == 1);
        CHECK(routers[0].plain ==
              std::vector<HeardOffers::Plain>{{*parse_ipv6("2001:db8::53"), begin + 600s}});
        CHECK(link.heard.next_end(link.now) == begin + 600s);
        link.now = begin + 600s;
        CHECK(link.heard.routers(link.now)[0].plain.empty());
        CHECK(link.heard.next_end(link.now) == begin + 1800s);
        link.now = begin + 1800s - 1ns;
        CHECK(link.offered() == Names{"dns"});
        link.now = begin + 1800s;
        CHECK(link.offered().empty());
        CHECK(link.heard.next_end(link.now) == HeardOffers::never);
    }

    TEST_CASE("told again it lasts longer, as one; an advertisement without it means nothing") {
        Link link;
        link.hear({dns_isp});
        link.now += 1000s;
        link.hear({});
        link.hear({lasting(dns_isp, 900)});
        CHECK(link.heard.offered(link.now).size() == 1);
        CHECK(link.heard.next_end(link.now) == begin + 1900s);
        CHECK(link.heard.routers(link.now)[0].heard_at == link.now);
    }

    TEST_CASE(
        "Lifetime 0 ends it at once, all ones never do; a Router Lifetime of 0 ends nothing") {
        Link link;
        link.hear({dns_isp, lasting(dot_isp, 0xffffffff), lasting(rdnss, 0xffffffff)});
        link.hear({withdrawn(dns_isp)});
        CHECK(link.offered() == Names{"dot"});
        CHECK(link.heard.next_end(link.now) == HeardOffers::never);
        link.now += 100000h;
        const auto last = link.heard.on_message(message({}, 0s), {router, 255}, link.now);
        CHECK(!last.is_router);
        CHECK(last.complaints.empty());
        CHECK(link.offered() == Names{"dot"});
        link.hear({withdrawn(dot_isp), withdrawn(rdnss)});
        CHECK(link.offered().empty());
        CHECK(link.heard.routers(link.now)[0].plain.empty());
    }

    TEST_CASE("each router takes back its own; whoever says so for longest counts") {
        Link link;
        link.hear({dns_isp});
        link.hear({lasting(dns_isp, 60), dot_isp}, second);
        CHECK(link.heard.routers(link.now).size() == 2);
        CHECK(link.offered() == Names{"dns", "dot"});
        CHECK(link.heard.offered(link.now)[0].until == begin + 1800s);
        link.hear({lasting(dns_isp, 3600)}, second);
        CHECK(link.heard.offered(link.now)[0].until == begin + 3600s);
        link.hear({withdrawn(dns_isp)});
        CHECK(link.offered() == Names{"dns", "dot"});
        link.hear({withdrawn(dns_isp)}, second);
        CHECK(link.offered() == Names{"dot"});
    }

    TEST_CASE("what fails RFC 4861 6.1.2 is dropped whole, and counted") {
        Link link;
        const Buffer good = message({dns_isp});
        const auto refused = [&](const Buffer& octets, const Envelope& envelope) {
            const auto before = link.heard.counters().malformed;
            const auto verdict = link.heard.on_message(octets, envelope, link.now);
            CHECK(!verdict.is_router);
            CHECK(verdict.complaints.size() == 1);
            CHECK(link.heard.counters().malformed == before + 1);
        };
        refused(good, {router, 254});
        refused(good, {*parse_ipv6("2001:db8::1"), 255});
        refused(good, {Ipv6(), 255});
        refused(good, {router, 255, true});  // RFC 6980 section 5
        Buffer coded = good;
        coded[1] = 1;
        refused(coded, {router, 255});
        refused(message({dns_isp, hex("0500 0000 000005dc")}), {router, 255});
        for (std::size_t size = 0; size < good.size(); ++size)
            if (size != 16)
                refused({good.begin(), good.begin() + std::ptrdiff_t(size)}, {router, 255});
        CHECK(link.heard.routers(link.now).empty());
        CHECK(link.heard.counters().advertisements == 0);
        // Control.
        CHECK(link.heard.on_message(good, {router, 255}, link.now).is_router);
        CHECK(link.offered() == Names{"dns"});
        CHECK(link.heard.counters().advertisements == 1);
    }

    TEST_CASE("a malformed option is dropped alone, counted, and shown with its octets") {
        Link link;
        Buffer padded = dns_isp;
        padded.back() = 1;
        const auto verdict = link.hear({padded, hex("1901 0000 00000258"), dot_isp});
        REQUIRE(verdict.complaints.size() == 2);
        CHECK(verdict.complaints[0].find(to_hex(padded)) != std::string::npos);
        CHECK(verdict.complaints[0].starts_with("RA option 144"));
        CHECK(verdict.complaints[1].starts_with("RA option 25"));
        CHECK(verdict.is_router);
        CHECK(link.heard.counters().malformed_options == 2);
        CHECK(link.offered() == Names{"dot"});
        Buffer endless(2040, 0xff);
        endless[0] = 144;
        CHECK(link.hear({endless}).complaints.at(0).size() < 256);
    }

    TEST_CASE("the draft's options are known where they are asked for") {
        Link link;
        link.hear({draft_name, draft_addresses});
        CHECK(link.offered().empty());
        CHECK(link.heard.counters().malformed_options == 0);
        link.heard.set_forms(both_forms());
        link.hear({draft_name, draft_addresses});
        REQUIRE(link.heard.offered(link.now).size() == 1);
        const auto offer = link.heard.offered(link.now)[0];
        CHECK(to_host(offer.resolver.adn) == "dns");
        CHECK(offer.resolver.addresses == std::vector<IpAddress>{*parse_ipv6("2001:db8::53")});
        CHECK(offer.resolver.params.alpn == std::vector<std::string>{"dot"});
        CHECK(offer.until == begin + 1800s);
        link.heard.set_forms(both_forms());
        CHECK(link.heard.offered(link.now).size() == 1);
        // By the code points of the configuration.
        dns::Forms moved = both_forms();
        moved.code_points.ra_adn = 200;
        link.heard.set_forms(moved);
        CHECK(link.offered().empty());
        Buffer elsewhere = draft_name;
        elsewhere[0] = 200;
        link.hear({draft_name, elsewhere});
        CHECK(link.heard.offered(link.now).size() == 1);
        CHECK(is_adn_only(link.heard.offered(link.now)[0].resolver));
    }

    TEST_CASE("the draft's options meet in whichever advertisement they came, the shorter counts") {
        Link link;
        link.heard.set_forms(both_forms());
        link.hear({draft_name});
        CHECK(is_adn_only(link.heard.offered(link.now)[0].resolver));
        link.now += 1s;
        link.hear({lasting(draft_addresses, 60)});
        REQUIRE(link.heard.offered(link.now).size() == 1);
        CHECK(link.heard.offered(link.now)[0].resolver.addresses.size() == 1);
        CHECK(link.heard.offered(link.now)[0].until == link.now + 60s);
        CHECK(link.heard.next_end(link.now) == link.now + 60s);
        link.now += 30s;  // time alone changes nothing
        CHECK(link.heard.offered(link.now)[0].until == link.now + 30s);
        link.now += 30s;
        REQUIRE(link.heard.offered(link.now).size() == 1);
        CHECK(is_adn_only(link.heard.offered(link.now)[0].resolver));
        CHECK(link.heard.offered(link.now)[0].until == begin + 1800s);
        link.hear({withdrawn(draft_name)});
        CHECK(link.offered().empty());
        link.hear({draft_name});
        link.now += 1800s;
        CHECK(link.offered().empty());
        link.hear({lasting(draft_name, 0xffffffff), lasting(draft_addresses, 0xffffffff)});
        CHECK(link.heard.offered(link.now)[0].until == HeardOffers::never);
        Buffer bad = draft_name;
        bad[2] = 0;  // no protocol
        CHECK(link.hear({bad}).complaints.size() == 1);
    }

    TEST_CASE("one resolver in both forms is one offer, with the priority of RFC 9463") {
        const Buffer full =
            hex("9006 0005 00000708 0005 03646e7300 0010 20010db8000000000000000000000053"
                "0008 0001 0004 03646f74 0000000000");
        Link link;
        link.heard.set_forms(both_forms());
        CHECK(link.hear({full, draft_name, draft_addresses}).complaints.empty());
        REQUIRE(link.heard.offered(link.now).size() == 1);
        CHECK(link.heard.offered(link.now)[0].resolver.priority == 5);
        CHECK(link.heard.routers(link.now)[0].resolvers.size() == 1);
        // Control: alone it has its place in the order.
        link.hear({withdrawn(full)});
        REQUIRE(link.heard.offered(link.now).size() == 1);
        CHECK(link.heard.offered(link.now)[0].resolver.priority == 1);
    }

    TEST_CASE("what is inside a provisioning domain is counted and told, not offered") {
        PvdOption pvd;
        pvd.name = *dns::parse_name("pvd.example.org");
        pvd.options = {dns_isp, rdnss};
        Writer out;
        write(out, pvd);
        const Buffer inside = *out.take();
        Link link;
        const auto verdict = link.hear({inside, dot_isp});
        REQUIRE(verdict.complaints.size() == 1);
        CHECK(verdict.complaints[0] ==
              "an encrypted resolver is inside the provisioning domain pvd.example.org");
        CHECK(link.offered() == Names{"dot"});
        CHECK(link.heard.counters().in_provisioning_domain == 1);
        CHECK(link.heard.routers(link.now)[0].provisioning_domain == pvd.name);
        CHECK(link.heard.routers(link.now)[0].plain.empty());
        // One that holds no such is nobody's concern, and of several the first counts.
        PvdOption plain = pvd;
        plain.options = {rdnss};
        Writer again;
        write(again, plain);
        CHECK(link.hear({*again.take(), inside}).complaints.empty());
        CHECK(!link.heard.routers(link.now)[0].provisioning_domain);
        CHECK(link.hear({hex("1501 0000 0000 c000")}).complaints.size() == 1);
        CHECK(link.heard.counters().malformed_options == 1);
    }

    TEST_CASE("a router that changes a priority means the same offer") {
        const auto preferred = [](std::uint8_t priority) {
            Buffer option = dns_isp;
            option[3] = priority;
            return option;
        };
        Link link;
        const auto offers = [&] {
            std::vector<std::uint16_t> priorities;
            for (const auto& one : link.heard.offered(link.now))
                priorities.push_back(one.resolver.priority);
            return priorities;
        };
        link.hear({preferred(3)});
        link.hear({preferred(7)});
        CHECK(offers() == std::vector<std::uint16_t>{7});
        // Taken back with the former one, in whichever order.
        link.hear({preferred(5), withdrawn(preferred(7))});
        CHECK(offers() == std::vector<std::uint16_t>{5});
        link.hear({withdrawn(preferred(5)), preferred(6)});
        CHECK(offers() == std::vector<std::uint16_t>{6});
        CHECK(link.heard.routers(link.now)[0].resolvers.size() == 1);
        // Of several routers the one that prefers it most counts.
        link.hear({preferred(2)}, second);
        CHECK(offers() == std::vector<std::uint16_t>{2});
        link.hear({withdrawn(preferred(2)), preferred(9)}, second);
        CHECK(offers() == std::vector<std::uint16_t>{6});
    }

    TEST_CASE("what was told for ever ends once it is doubted, unless it is told again") {
        Link link;
        link.heard.set_forms(both_forms());
        link.hear({lasting(dns_isp, 0xffffffff), lasting(dot_isp, 0xffffffff),
                   lasting(rdnss, 0xffffffff)});
        link.hear({dns_isp}, second);
        link.hear({lasting(draft_name, 0xffffffff), lasting(draft_addresses, 0xffffffff)}, second);
        link.heard.doubt_endless(link.now + 10s);
        CHECK(link.heard.next_end(link.now) == begin + 10s);
        link.now += 5s;
        CHECK(link.heard.offered(link.now).size() == 3);
        link.hear({lasting(dot_isp, 0xffffffff)});
        link.now += 5s;
        CHECK(link.offered() == Names{"dot", "dns"});  // by the second, which said until when
        CHECK(link.heard.routers(link.now)[0].plain.empty());
        CHECK(link.heard.next_end(link.now) == begin + 1800s);
        link.heard.forget();
        CHECK(link.heard.routers(link.now).empty());
        CHECK(link.heard.counters().advertisements == 4);
    }

    TEST_CASE("whoever is missed least makes room, and not for one who is missed less") {
        const auto nth = [](unsigned n) {
            Ipv6 address = router;
            address.octets[15] = std::uint8_t(n + 1);
            return address;
        };
        const auto knows = [](const Link& link, const Ipv6& address) {
            const auto routers = link.heard.routers(link.now);
            return std::ranges::any_of(routers,
                                       [&](const auto& one) { return one.address == address; });
        };
        const Buffer plain_for_ever = lasting(rdnss, 0xffffffff);
        const Buffer for_ever = lasting(dns_isp, 0xffffffff);
        // Places that were taken for ever by plain resolvers keep no encrypted one away.
        Link link;
        for (unsigned n = 0; n < HeardOffers::routers_max; ++n) {
            link.hear({plain_for_ever}, nth(n));
            link.now += 1s;
        }
        link.hear({plain_for_ever}, nth(0));
        CHECK(link.hear({dot_isp}, nth(100)).complaints.empty());
        CHECK(link.offered() == Names{"dot"});
        CHECK(!knows(link, nth(1)));  // silent for longest
        // One who tells nothing goes before one who tells of plain ones.
        link.hear({withdrawn(rdnss)}, nth(7));
        link.hear({rdnss}, nth(101));
        CHECK(!knows(link, nth(7)));
        CHECK(link.heard.counters().routers_left_out == 0);

        Link full;
        for (unsigned n = 0; n < HeardOffers::routers_max; ++n) full.hear({for_ever}, nth(n));
        full.now += HeardOffers::silence_max;
        CHECK(full.hear({dot_isp}, nth(100)).complaints.size() == 1);
        full.hear({for_ever}, nth(0));
        full.now += 1s;
        // Now all but one were silent for too long, which matters to encrypted resolvers alone.
        CHECK(full.hear({rdnss}, nth(100)).complaints.size() == 1);
        CHECK(full.hear({}, nth(100)).complaints.size() == 1);
        CHECK(full.hear({dot_isp}, nth(100)).complaints.empty());
        CHECK(full.offered() == Names{"dns", "dot"});
        CHECK(knows(full, nth(0)));
        CHECK(!knows(full, nth(1)));
    }

    TEST_CASE("no more routers are known than there is room for; who tells nothing makes room") {
        Link link;
        const auto nth = [](unsigned n) {
            Ipv6 address = router;
            address.octets[14] = 1;
            address.octets[15] = std::uint8_t(n);
            return address;
        };
        for (unsigned n = 0; n < HeardOffers::routers_max; ++n) link.hear({dns_isp}, nth(n));
        CHECK(link.hear({dot_isp}, nth(100)).complaints.size() == 1);
        CHECK(link.offered() == Names{"dns"});
        CHECK(link.heard.counters().routers_left_out == 1);
        // Those that have a place are heard.
        link.hear({withdrawn(dns_isp)}, nth(3));
        CHECK(link.hear({dot_isp}, nth(100)).complaints.empty());
        CHECK(link.offered() == Names{"dns", "dot"});
        CHECK(link.heard.routers(link.now).size() == HeardOffers::routers_max);
        // What has ended holds no place.
        link.now += 1800s;
        for (unsigned n = 0; n < 200; ++n) link.hear({}, nth(n));
        CHECK(link.heard.routers(link.now).size() == HeardOffers::routers_max);
        CHECK(link.heard.counters().routers_left_out == 1);
    }

    TEST_CASE("no more options of a router are known than there is room for") {
        Link link;
        for (unsigned n = 0; n < 2 * HeardOffers::options_max; ++n) {
            Buffer option = dns_isp;
            option[11] = std::uint8_t('d' + n % 16);
            option[12] = std::uint8_t('n' + n / 16);
            Buffer server = rdnss;
            server[23] = std::uint8_t(n + 1);
            link.hear({option, server});
        }
        CHECK(link.heard.routers(link.now)[0].resolvers.size() == HeardOffers::options_max);
        CHECK(link.heard.routers(link.now)[0].plain.size() == HeardOffers::options_max);
        CHECK(link.heard.counters().options_left_out == 2 * HeardOffers::options_max);
        // What is taken back needs none, be it known or not.
        Link other;
        NdOptions gone;
        for (unsigned n = 0; n < 2 * HeardOffers::options_max; ++n) {
            gone.push_back(withdrawn(dns_isp));
            gone.back()[3] = std::uint8_t(n + 1);
        }
        gone.push_back(dot_isp);
        other.hear(gone);
        CHECK(other.offered() == Names{"dot"});
        // A place that is free again is taken.
        link.hear({withdrawn(dns_isp)});
        link.hear({dot_isp});
        CHECK(link.offered().back() == "dot");
    }
}

}  // namespace
}  // namespace porchlight::ra
