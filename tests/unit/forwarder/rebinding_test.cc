#include "forwarder/rebinding.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/writer.h"
#include "dns/answer.h"
#include "dns/query.h"
#include "dns/records.h"
#include "hex.h"

namespace porchlight::forwarder {
namespace {

using dns::Section;

dns::Name name(std::string_view text) {
    return *dns::parse_name(text);
}

struct Given {
    Section section = Section::answer;
    std::string_view owner;
    std::uint16_t type = 0;
    Buffer data;
};

Buffer v4(std::string_view text) {
    const Ipv4 address = *parse_ipv4(text);
    return {address.octets.begin(), address.octets.end()};
}

Buffer v6(std::string_view text) {
    const Ipv6 address = *parse_ipv6(text);
    return {address.octets.begin(), address.octets.end()};
}

Buffer to(std::string_view text) {
    const dns::Name target = name(text);
    return {target.wire().begin(), target.wire().end()};
}

Buffer joined(Buffer first, const Buffer& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

/// An HTTPS record's data with its parameters in hexadecimal digits.
Buffer service(std::string_view params) {
    return joined(hex("0001 00"), hex(params));
}

Given a(std::string_view owner, std::string_view text) {
    return {Section::answer, owner, dns::type::a, v4(text)};
}
Given aaaa(std::string_view owner, std::string_view text) {
    return {Section::answer, owner, dns::type::aaaa, v6(text)};
}
Given cname(std::string_view owner, std::string_view target) {
    return {Section::answer, owner, dns::type::cname, to(target)};
}
Given https(std::string_view owner, std::string_view params) {
    return {Section::answer, owner, dns::type::https, service(params)};
}

Buffer response(std::string_view asked, std::uint16_t type, const std::vector<Given>& records) {
    Writer out;
    out.u16(0);
    out.u16(0x8180);
    out.u16(1);
    for (const Section section : {Section::answer, Section::authority, Section::additional})
        out.u16(static_cast<std::uint16_t>(
            std::count_if(records.begin(), records.end(),
                          [&](const Given& one) { return one.section == section; })));
    dns::write(out, name(asked));
    out.u16(type);
    out.u16(dns::class_in);
    for (const Given& one : records) {
        dns::write(out, name(one.owner));
        out.u16(one.type);
        out.u16(dns::class_in);
        out.u32(300);
        out.counted_u16([&] { out.bytes(one.data); });
    }
    return *out.take();
}

Judgement judged(std::string_view asked, std::uint16_t type, const std::vector<Given>& records,
                 const RebindingRules& rules = {}) {
    const dns::Question question{name(asked), type};
    const Buffer message = response(asked, type, records);
    REQUIRE(dns::parse_answer(message, question, {}));
    return judge(rules, question, message);
}

Judgement judged_a(std::string_view address) {
    return judged("evil.example", dns::type::a, {a("evil.example", address)});
}

Judgement judged_aaaa(std::string_view address, const RebindingRules& rules = {}) {
    return judged("evil.example", dns::type::aaaa, {aaaa("evil.example", address)}, rules);
}

}  // namespace

TEST_SUITE("forwarder/rebinding") {
    TEST_CASE("IPv4: the ends of each range, and what lies beside them") {
        for (const char* inward : {"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255",
                                   "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
                                   "169.254.0.1", "169.254.255.255", "172.16.0.0", "172.31.255.255",
                                   "192.0.0.0", "192.0.0.7", "192.168.0.0", "192.168.255.255"}) {
            CAPTURE(inward);
            CHECK(judged_a(inward) == Judgement::block);
        }
        for (const char* outward :
             {"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
              "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
              "172.32.0.0", "192.0.0.8", "192.0.0.170", "192.167.255.255", "192.169.0.0",
              "198.51.100.1", "255.255.255.255"}) {
            CAPTURE(outward);
            CHECK(judged_a(outward) == Judgement::pass);
        }
    }

    TEST_CASE("IPv6: likewise, and the forms of an IPv4 address") {
        for (const char* inward :
             {"::", "::1", "::192.0.2.1", "::ffff:198.51.100.1", "fc00::", "fdff:ffff::1",
              "fe80::1", "febf::1", "fec0::1", "feff::1", "2002:c0a8:101::1",
              "2002:a00:1::", "64:ff9b::10.0.0.1", "64:ff9b::c0a8:101", "64:ff9b::7f00:1"}) {
            CAPTURE(inward);
            CHECK(judged_aaaa(inward) == Judgement::block);
        }
        for (const char* outward :
             {"2001:db8::1", "fbff::1", "fe00::1", "ff02::1", "2002:c633:6401::1",
              "64:ff9b::198.51.100.1", "::1:0:0:1", "::fffe:192.168.1.1:1", "64:ff9c::10.0.0.1",
              "64:ff9b:2::10.0.0.1"}) {
            CAPTURE(outward);
            if (const auto address = parse_ipv6(outward)) CHECK(!leads_inward(*address, {}));
        }
    }

    TEST_CASE("what tells a host of its translator passes") {
        // RFC 7050 section 8, and by a prefix of 64:ff9b:1::/48.
        for (const char* synthesised : {"64:ff9b::192.0.0.170", "64:ff9b::192.0.0.171",
                                        "64:ff9b:1::192.0.0.170", "64:ff9b:1:c000:0:aa00::"})
            CHECK(judged("ipv4only.arpa", dns::type::aaaa, {aaaa("ipv4only.arpa", synthesised)}) ==
                  Judgement::pass);
        CHECK(judged("ipv4only.arpa", dns::type::a,
                     {a("ipv4only.arpa", "192.0.0.170"), a("ipv4only.arpa", "192.0.0.171")}) ==
              Judgement::pass);
    }

    TEST_CASE("NAT64 prefixes of 48, 56, 64 and 96 bits within the local one") {
        // 192.168.1.2 and 198.51.100.2 in each layout of RFC 6052 section 2.2.
        const std::pair<const char*, const char*> layouts[] = {
            {"64:ff9b:1:c0a8:1:200::", "64:ff9b:1:c633:64:200::"},
            {"64:ff9b:1:7c0:a8:102::", "64:ff9b:1:7c6:33:6402::"},
            {"64:ff9b:1:7:c0:a801:200:0", "64:ff9b:1:7:c6:3364:200:0"},
            {"64:ff9b:1:7::192.168.1.2", "64:ff9b:1:7::198.51.100.2"}};
        for (const auto& [inward, outward] : layouts) {
            CAPTURE(inward);
            CHECK(judged_aaaa(inward) == Judgement::block);
            CHECK(judged_aaaa(outward) == Judgement::pass);
        }
    }

    TEST_CASE("a translator's own prefix counts where it is configured") {
        const RebindingRules rules{.nat64_prefixes = {*net::parse_nat64_prefix("2001:db8:64::")}};
        CHECK(judged_aaaa("2001:db8:64::192.168.1.2") == Judgement::pass);
        CHECK(judged_aaaa("2001:db8:64::192.168.1.2", rules) == Judgement::block);
        CHECK(judged_aaaa("2001:db8:64::198.51.100.2", rules) == Judgement::pass);
        CHECK(judged_aaaa("2001:db8:64:0:0:1:c0a8:102", rules) == Judgement::pass);
    }

    TEST_CASE("of each length that RFC 6052 section 2.2 has") {
        // 192.168.1.2 and 192.0.2.33, where section 2.4 shows the latter.
        struct Layout {
            const char *prefix, *inward, *outward;
        };
        const Layout layouts[] = {
            {"2001:db8::/32", "2001:db8:c0a8:102::", "2001:db8:c000:221::"},
            {"2001:db8:100::/40", "2001:db8:1c0:a801:2::", "2001:db8:1c0:2:21::"},
            {"2001:db8:122::/48", "2001:db8:122:c0a8:1:200::", "2001:db8:122:c000:2:2100::"},
            {"2001:db8:122:300::/56", "2001:db8:122:3c0:a8:102::", "2001:db8:122:3c0:0:221::"},
            {"2001:db8:122:344::/64",
             "2001:db8:122:344:c0:a801:200::", "2001:db8:122:344:c0:2:2100::"},
            {"2001:db8:122:344::/96", "2001:db8:122:344::192.168.1.2",
             "2001:db8:122:344::192.0.2.33"}};
        for (const Layout& layout : layouts) {
            CAPTURE(layout.prefix);
            const RebindingRules rules{.nat64_prefixes = {*net::parse_nat64_prefix(layout.prefix)}};
            CHECK(judged_aaaa(layout.inward) == Judgement::pass);
            CHECK(judged_aaaa(layout.inward, rules) == Judgement::block);
            CHECK(judged_aaaa(layout.outward, rules) == Judgement::pass);
        }
        // A translator's own part of the local prefix comes before what an address looks like.
        const char* const seen_as_outward = "64:ff9b:1:7:c0:a801:200:1";
        CHECK(judged_aaaa(seen_as_outward) == Judgement::pass);
        const RebindingRules own{.nat64_prefixes = {*net::parse_nat64_prefix("64:ff9b:1:7::/64")}};
        CHECK(judged_aaaa(seen_as_outward, own) == Judgement::block);
    }

    TEST_CASE("one address that leads inward blocks the whole, wherever it stands") {
        CHECK(judged("evil.example", dns::type::a,
                     {a("evil.example", "198.51.100.1"), a("evil.example", "192.168.1.1")}) ==
              Judgement::block);
        Given stray = a("ns.example", "192.168.1.1");
        stray.section = Section::authority;
        CHECK(judged("evil.example", dns::type::a, {a("evil.example", "198.51.100.1"), stray}) ==
              Judgement::block);
        stray.section = Section::additional;
        CHECK(judged("evil.example", dns::type::a, {a("evil.example", "198.51.100.1"), stray}) ==
              Judgement::pass_without_additional);
    }

    TEST_CASE("hints of SVCB and HTTPS count, at any place among the parameters") {
        const auto hinted = [](std::string_view params, std::uint16_t type = dns::type::https) {
            Given one = https("evil.example", params);
            one.type = type;
            return judged("evil.example", type, {one});
        };
        CHECK(hinted("0001 0003 026832") == Judgement::pass);
        CHECK(hinted("") == Judgement::pass);
        CHECK(hinted("0004 0004 c6336401") == Judgement::pass);
        CHECK(hinted("0004 0004 c0a80101") == Judgement::block);
        CHECK(hinted("0004 0004 c0a80101", dns::type::svcb) == Judgement::block);
        CHECK(hinted("0004 0008 c6336401 0a000001") == Judgement::block);
        CHECK(hinted("0004 0008 0a000001 c6336401") == Judgement::block);
        CHECK(hinted("0001 0003 026832 0004 0004 c6336401 0006 0010"
                     "fd000000000000000000000000000001") == Judgement::block);
        CHECK(hinted("0004 0004 c0a80101 0006 0010 20010db8000000000000000000000001") ==
              Judgement::block);
        CHECK(hinted("0006 0020 20010db8000000000000000000000001"
                     "0064ff9b0000000000000000c0a80101") == Judgement::block);
        // Strict or not, a reader may find an address there.
        CHECK(hinted("0004 0004 c0a80101 0004 0004 c6336401") == Judgement::block);
        CHECK(hinted("0006 0010 20010db8000000000000000000000001 0004 0004 c0a80101") ==
              Judgement::block);
    }

    TEST_CASE("service data that can't be read counts as leading inward") {
        const Buffer whole = service("0001 0003 026832 0004 0004 c6336401");
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CAPTURE(size);
            const bool ends_well = size == 3 || size == 10;  // before each parameter
            CHECK(judged("evil.example", dns::type::https,
                         {{Section::answer, "evil.example", dns::type::https,
                           Buffer(whole.begin(), whole.begin() + static_cast<long>(size))}}) ==
                  (ends_well ? Judgement::pass : Judgement::block));
        }
        CHECK(judged("evil.example", dns::type::https,
                     {https("evil.example", "0004 0005 c6336401 08")}) == Judgement::block);
    }

    TEST_CASE("what a CNAME or DNAME leads to is judged, and nothing else is an answer") {
        const auto asked = [](const std::vector<Given>& records) {
            return judged("a.example", dns::type::a, records);
        };
        CHECK(asked({cname("a.example", "b.test"), a("b.test", "198.51.100.1")}) ==
              Judgement::pass);
        CHECK(asked({cname("a.example", "b.test"), a("b.test", "192.168.1.1")}) ==
              Judgement::block);
        CHECK(asked({a("B.test", "198.51.100.1"), cname("A.example", "b.TEST")}) ==
              Judgement::pass);  // in no order
        CHECK(asked({a("b.test", "198.51.100.1")}) == Judgement::foreign);
        CHECK(asked({a("a.example", "198.51.100.1"), a("b.test", "198.51.100.1")}) ==
              Judgement::foreign);
        CHECK(asked({a("example", "198.51.100.1")}) == Judgement::foreign);
        CHECK(asked({cname("b.test", "a.example"), a("a.example", "198.51.100.1")}) ==
              Judgement::foreign);
        CHECK(asked({cname("b.test", "b.test"), a("a.example", "198.51.100.1")}) ==
              Judgement::foreign);
        const Given dname{Section::answer, "example", dns::type::dname, to("test")};
        CHECK(asked({dname, cname("a.example", "a.test"), a("a.test", "198.51.100.1")}) ==
              Judgement::pass);
        CHECK(asked({dname, a("a.test", "198.51.100.1")}) == Judgement::pass);
        CHECK(asked({dname, a("a.test", "10.0.0.1")}) == Judgement::block);
        CHECK(asked({dname, a("b.test", "198.51.100.1")}) == Judgement::foreign);
    }

    TEST_CASE("foreign records are refused where nothing is blocked, too") {
        CHECK(judged("a.example", dns::type::a, {a("b.test", "198.51.100.1")}, {.block = false}) ==
              Judgement::foreign);
    }

    TEST_CASE("switched off, or by an exception for the question's name, all passes") {
        const std::vector<Given> lie{a("nas.home.example", "192.168.1.1")};
        const auto asked = [&](const RebindingRules& rules) {
            return judged("nas.home.example", dns::type::a, lie, rules);
        };
        CHECK(asked({}) == Judgement::block);
        CHECK(asked({.block = false}) == Judgement::pass);
        CHECK(asked({.allow_domains = {name("HOME.example")}}) == Judgement::pass);
        CHECK(asked({.allow_domains = {name("nas.home.example")}}) == Judgement::pass);
        CHECK(asked({.allow_domains = {name("me.example"), name("a.nas.home.example")}}) ==
              Judgement::block);
        // Where a CNAME leads is no excuse: anybody's may lead there.
        CHECK(judged("evil.test", dns::type::a,
                     {cname("evil.test", "nas.home.example"), lie.front()},
                     {.allow_domains = {name("home.example")}}) == Judgement::block);
    }
}

}  // namespace porchlight::forwarder
