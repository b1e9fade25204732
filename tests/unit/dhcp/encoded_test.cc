#include "dhcp/encoded.h"

#include <doctest/doctest.h>

#include "dhcp/v4_dnr.h"
#include "dhcp/v6_dnr.h"
#include "hex.h"

namespace porchlight::dhcp {
namespace {

dns::EncryptedResolver dot(std::uint16_t priority, const char* adn,
                           std::vector<IpAddress> addresses) {
    dns::SvcParams params;
    params.alpn = {"dot"};
    return {priority, *dns::parse_name(adn), std::move(addresses), params};
}

const IpAddress v4 = *parse_ipv4("192.0.2.53");
const IpAddress v6 = *parse_ipv6("2001:db8::53");
constexpr std::size_t plenty = 255;

TEST_SUITE("dhcp/encoded") {
    TEST_CASE("each family hears of the addresses it can reach") {
        const std::vector both{dot(1, "a.example", {v4, v6})};
        const auto four = encode_v4(both, plenty);
        CHECK(four.left_out.empty());
        CHECK(parse_v4_dnr(four.payload)->front().addresses == std::vector{std::get<Ipv4>(v4)});
        const auto six = encode_v6(both, 1, plenty);
        REQUIRE(six.options.size() == 1);
        CHECK(parse_v6_dnr(six.options.front())->addresses == std::vector{std::get<Ipv6>(v6)});
    }

    TEST_CASE("a resolver without an address of the family is left out and named") {
        const std::vector some{dot(1, "six.example", {v6}), dot(2, "four.example", {v4})};
        const auto four = encode_v4(some, plenty);
        CHECK(parse_v4_dnr(four.payload)->size() == 1);
        REQUIRE(four.left_out.size() == 1);
        CHECK(dns::to_host(four.left_out.front().adn) == "six.example");
        CHECK(four.left_out.front().why == "it has no address of this family that hosts could use");
        CHECK(encode_v6(some, 1, plenty).left_out.size() == 1);
    }

    TEST_CASE("loopback and multicast are no addresses to tell of") {
        const std::vector own{
            dot(1, "a.example", {*parse_ipv4("127.0.0.1"), *parse_ipv6("ff02::1")})};
        CHECK(encode_v4(own, plenty).payload.empty());
        CHECK(encode_v6(own, 1, plenty).options.empty());
        const std::vector mixed{
            dot(1, "a.example", {*parse_ipv4("127.0.0.1"), v4, *parse_ipv6("ff02::1"), v6})};
        CHECK(parse_v4_dnr(encode_v4(mixed, plenty).payload)->front().addresses ==
              std::vector{std::get<Ipv4>(v4)});
        const auto six = encode_v6(mixed, 1, plenty);
        REQUIRE(six.options.size() == 1);
        CHECK(parse_v6_dnr(six.options.front())->addresses == std::vector{std::get<Ipv6>(v6)});
    }

    TEST_CASE("the more preferred come first and the last ones make room") {
        const std::vector three{dot(3, "c.example", {v4}), dot(1, "a.example", {v4}),
                                dot(2, "b.example", {v4})};
        const std::size_t one = encode_v4(std::vector{three[0]}, plenty).payload.size();
        const auto two = encode_v4(three, 2 * one + 1);
        const auto dnr = parse_v4_dnr(two.payload);
        REQUIRE(dnr);
        REQUIRE(dnr->size() == 2);
        CHECK(dnr->front().priority == 1);
        CHECK(dnr->back().priority == 2);
        REQUIRE(two.left_out.size() == 1);
        CHECK(two.left_out.front().priority == 3);
        CHECK(two.left_out.front().why.find("do not fit into the 1 left") != std::string::npos);
        CHECK(encode_v4(three, 0).payload.empty());
        CHECK(parse_v4_dnr(encode_v4(three, 2 * one).payload)->size() == 2);
    }

    TEST_CASE("a long instance leaves its place to a shorter one") {
        const std::vector some{dot(1, "a.very.long.name.of.a.resolver.example", {v4}),
                               dot(2, "b.example", {v4})};
        const auto dnr = parse_v4_dnr(encode_v4(some, 40).payload);
        REQUIRE(dnr);
        CHECK(dnr->front().priority == 2);
    }

    TEST_CASE("of more resolvers than a server can tell of in DHCPv6 the preferred stay") {
        const std::vector two{dot(2, "b.example", {v6}), dot(1, "a.example", {v6})};
        const auto six = encode_v6(two, 1, plenty);
        REQUIRE(six.options.size() == 1);
        CHECK(parse_v6_dnr(six.options.front())->priority == 1);
        REQUIRE(six.left_out.size() == 1);
        CHECK(six.left_out.front().priority == 2);
        CHECK(encode_v6(two, 2, plenty).options.size() == 2);
    }

    TEST_CASE("a name alone is told of as such, in both families") {
        const std::vector alone{dns::EncryptedResolver{1, *dns::parse_name("a.example"), {}, {}}};
        CHECK(encode_v4(alone, plenty).payload == hex("000e 0001 0b 01 61 07 6578616d706c65 00"));
        CHECK(encode_v6(alone, 1, plenty).options.size() == 1);
    }

    TEST_CASE("an option that is longer than the room for it leaves its place to a shorter one") {
        const std::vector some{dot(1, "a.long.name.example", {v6}), dot(2, "b.example", {v6})};
        const std::size_t shorter = encode_v6(std::vector{some[1]}, 1, plenty).options[0].size();
        const auto six = encode_v6(some, 1, shorter);
        REQUIRE(six.options.size() == 1);
        CHECK(parse_v6_dnr(six.options.front())->priority == 2);
        REQUIRE(six.left_out.size() == 1);
        CHECK(six.left_out.front().priority == 1);
        CHECK(encode_v6(some, 2, shorter - 1).options.empty());
    }

    TEST_CASE("what reads back as something else is not sent") {
        dns::EncryptedResolver ambiguous = dot(1, "a.example", {v4, v6});
        ambiguous.params.other[dns::key_port] = hex("0355");  // which a reader takes for the port
        for (const auto& left_out : {encode_v4(std::vector{ambiguous}, plenty).left_out,
                                     encode_v6(std::vector{ambiguous}, 1, plenty).left_out}) {
            REQUIRE(left_out.size() == 1);
            CHECK(left_out.front().why == "it reads back as something else");
        }
    }

    TEST_CASE("what a host would refuse or skip is not sent") {
        dns::EncryptedResolver alias = dot(0, "a.example", {v4});
        dns::EncryptedResolver hinted = dot(1, "a.example", {v4});
        hinted.params.other[dns::key_ipv4hint] = hex("c0000235");
        dns::EncryptedResolver mute = dot(1, "a.example", {v4});
        mute.params.alpn = {};
        dns::EncryptedResolver crowd = dot(1, "a.example", std::vector<IpAddress>(64, v4));
        dns::EncryptedResolver broken = dot(1, "a.example", {v4});
        broken.params.mandatory = {dns::key_port};  // which is not there
        for (const auto& bad : {alias, hinted, mute, crowd, broken}) {
            const auto none = encode_v4(std::vector{bad}, 65535);
            CHECK(none.payload.empty());
            CHECK(none.left_out.size() == 1);
        }
    }
}

}  // namespace
}  // namespace porchlight::dhcp
