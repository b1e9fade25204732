#include "ra/full.h"

#include <doctest/doctest.h>

#include "hex.h"
#include "net/link.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Clock::time_point now = Clock::time_point(1000s);

net::LinkAddress address(const char* text, unsigned prefix,
                         std::optional<std::chrono::seconds> valid = {},
                         std::optional<std::chrono::seconds> preferred = {}) {
    net::LinkAddress made{*parse_address(text), prefix};
    made.valid = valid;
    made.preferred = preferred;
    return made;
}

net::Link link_with(std::vector<net::LinkAddress> addresses) {
    net::Link link{"lan0", 3, true, true, std::move(addresses)};
    link.mtu_octets = 1500;
    link.hardware_address = hex("020000000001");
    link.read_at = now;
    return link;
}

NdOptions options_at(const net::Link& link, Clock::time_point at = now,
                     const FullSettings& settings = {}) {
    return compose_full(settings, link_facts(link), at).options;
}

NdOptions prefixes_of(const NdOptions& options) {
    NdOptions found;
    for (const Buffer& option : options)
        if (option[0] == prefix_option_type) found.push_back(option);
    return found;
}

TEST_SUITE("ra/full") {
    TEST_CASE("RFC 4861 section 6.2.3: a whole advertisement, octet for octet") {
        FullSettings settings;
        settings.managed = settings.other = true;
        settings.preference = FullSettings::Preference::high;
        settings.rdnss = {*parse_ipv6("fd77::1"), *parse_ipv6("fd77::2")};
        settings.dnssl = {*dns::parse_name("lan"), *dns::parse_name("example.net")};
        settings.routes = {{*parse_ipv6("fd77::"), 48}};
        const auto link = link_with({address("fe80::1", 64), address("fd77::1", 64)});
        Writer out;
        write(out, compose_full(settings, link_facts(link), now));
        CHECK(
            to_hex(out.view()) ==
            to_hex(hex("86 00 0000 40 c8 0708 00000000 00000000"
                       "01 01 020000000001"
                       "05 01 0000 000005dc"
                       "03 04 40 c0 00001518 00000a8c 00000000 fd77000000000000 0000000000000000"
                       "18 02 30 00 00000708 fd77000000000000"
                       "19 05 0000 00000708 fd770000000000000000000000000001"
                       "                    fd770000000000000000000000000002"
                       "1f 04 0000 00000708 036c616e00 076578616d706c65036e657400 000000000000")));
    }

    TEST_CASE("lifetimes are what is left of the address, and no more than RFC 9096 wants") {
        const auto link = link_with({address("2001:db8::1", 64, 3000s, 1000s),
                                     address("2001:db8:1::1", 64, 90000s, 90000s)});
        CHECK(prefixes_of(options_at(link, now + 10s)) ==
              NdOptions{
                  hex("0304 40 c0 00000bae 000003de 00000000 20010db8000000000000000000000000"),
                  hex("0304 40 c0 00001518 00000a8c 00000000 20010db8000100000000000000000000")});
        CHECK(prefixes_of(options_at(link, now + 2000s))[0] ==
              hex("0304 40 c0 000003e8 00000000 00000000 20010db8000000000000000000000000"));
    }

    TEST_CASE("a preferred lifetime never exceeds the valid one") {
        const auto link = link_with({address("2001:db8::1", 64, 100s)});
        CHECK(prefixes_of(options_at(link))[0] ==
              hex("0304 40 c0 00000064 00000064 00000000 20010db8000000000000000000000000"));
    }

    TEST_CASE("what the kernel deprecated is deprecated") {
        auto old = address("2001:db8::1", 64);
        old.deprecated = true;
        CHECK(prefixes_of(options_at(link_with({old})))[0] ==
              hex("0304 40 c0 00001518 00000000 00000000 20010db8000000000000000000000000"));
    }

    TEST_CASE("two addresses in one prefix are one option with the longer lifetimes") {
        const auto link = link_with(
            {address("2001:db8::1", 64, 100s, 50s), address("2001:db8::2", 64, 90s, 60s)});
        const auto prefixes = prefixes_of(options_at(link));
        REQUIRE(prefixes.size() == 1);
        CHECK(prefixes[0] ==
              hex("0304 40 c0 00000064 0000003c 00000000 20010db8000000000000000000000000"));
    }

    TEST_CASE("only a /64 is autonomous") {
        const auto prefixes = prefixes_of(options_at(
            link_with({address("2001:db8:0:f::1", 60), address("2001:db8:1::ffff", 120)})));
        REQUIRE(prefixes.size() == 2);
        CHECK(prefixes[0] ==
              hex("0304 3c 80 00001518 00000a8c 00000000 20010db8000000000000000000000000"));
        CHECK(prefixes[1] ==
              hex("0304 78 80 00001518 00000a8c 00000000 20010db800010000000000000000ff00"));
    }

    TEST_CASE("link-local, tentative, IPv4 and single addresses make no prefix") {
        auto tentative = address("2001:db8::1", 64);
        tentative.tentative = true;
        const auto link = link_with({address("fe80::1", 64), tentative, address("192.0.2.1", 24),
                                     address("2001:db8:1::1", 128), address("::1", 64)});
        CHECK(prefixes_of(options_at(link)).empty());
        CHECK(link_facts(link).source == parse_ipv6("fe80::1"));
    }

    TEST_CASE("a link without addresses has no source") {
        CHECK(!link_facts(link_with({})).source);
        auto tentative = address("fe80::1", 64);
        tentative.tentative = true;
        CHECK(!link_facts(link_with({tentative})).source);
    }

    TEST_CASE("what the link doesn't have is not said") {
        const net::Link bare{"lan0", 3, true, true, {}};
        CHECK(compose_full({}, link_facts(bare), now).options.empty());
    }

    TEST_CASE("the MTU can be set") {
        FullSettings settings;
        settings.mtu_octets = 1280;
        CHECK(options_at(link_with({}), now, settings)[1] == hex("0501 0000 00000500"));
    }

    TEST_CASE("RFC 4191 section 2.2: who is no default router has no preference") {
        FullSettings settings;
        settings.preference = FullSettings::Preference::low;
        CHECK(compose_full(settings, {}, now).header.flags == 0x18);
        settings.router_lifetime = 0s;
        CHECK(compose_full(settings, {}, now).header.flags == 0);
    }

    TEST_CASE("many search domains make several options, none too long") {
        FullSettings settings;
        const std::string label(63, 'a');
        for (std::size_t i = 0; i < 16; ++i)
            settings.dnssl.push_back(
                *dns::parse_name(label + "." + label + "." + label + "." + std::to_string(i)));
        const NdOptions options = compose_full(settings, {}, now).options;
        CHECK(options.size() == 4);
        for (const Buffer& option : options) {
            CHECK(option.size() <= 1024 + 8);
            CHECK(option.size() == option[1] * option_unit_octets);
        }
    }
}

}  // namespace
}  // namespace porchlight::ra
