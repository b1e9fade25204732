#include "dhcp/dnsmasq_feed.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "dhcp/v4_dnr.h"
#include "dhcp/v6_dnr.h"

namespace porchlight::dhcp {
namespace {

dns::EncryptedResolver dot(std::uint16_t priority, std::string_view adn) {
    dns::SvcParams params;
    params.alpn = {"dot"};
    return {priority,
            *dns::parse_name(adn),
            {*parse_ipv4("192.168.77.1"), *parse_ipv6("fd77::1")},
            params};
}

/// The text after the first line, which is the same everywhere.
std::string below_header(const std::string& text) {
    CHECK(text.starts_with("# "));
    return text.substr(text.find('\n') + 1);
}

TEST_SUITE("dhcp/dnsmasq_feed") {
    TEST_CASE("each link has a line for each family") {
        const std::vector links{link_options("br-lan", std::vector{dot(1, "cpe1.example")})};
        CHECK(below_header(options_text(links)) ==
              "tag:br-lan,162,00:1e:00:01:0e:04:63:70:65:31:07:65:78:61:6d:70:6c:65:00:04:c0:a8:"
              "4d:01:00:01:00:04:03:64:6f:74\n"
              "tag:br-lan,option6:144,00:01:00:0e:04:63:70:65:31:07:65:78:61:6d:70:6c:65:00:00:10:"
              "fd:77:00:00:00:00:00:00:00:00:00:00:00:00:00:01:00:01:00:04:03:64:6f:74\n");
    }

    TEST_CASE("nothing to tell is a file without an option") {
        CHECK(below_header(options_text({})).empty());
        CHECK(below_header(options_text(std::vector{link_options("br-lan", {})})).empty());
    }

    TEST_CASE("DHCPv6 tells of one resolver, DHCPv4 of those that fit") {
        std::vector<dns::EncryptedResolver> many;
        for (std::uint16_t i = 1; i <= 9; ++i)
            many.push_back(dot(i, "resolver" + std::to_string(i) + ".example"));
        const LinkOptions link = link_options("br-lan", many);
        CHECK(link.v6.options.size() == 1);
        CHECK(link.v6.left_out.size() == 8);
        const auto four = parse_v4_dnr(link.v4.payload);
        REQUIRE(four);
        CHECK(four->size() == 5);
        CHECK(link.v4.payload.size() <= dnsmasq_v4_room);
        CHECK(link.v4.left_out.size() == 4);
    }

    TEST_CASE("one long instance is better than none") {
        const std::string label(60, 'a');
        const LinkOptions link =
            link_options("br-lan", std::vector{dot(1, label + "." + label + "." + label)});
        CHECK(link.v4.payload.size() > dnsmasq_v4_room);
        CHECK(link.v4.left_out.empty());
    }

    TEST_CASE("no line of the options file is longer than dnsmasq reads") {
        const std::string interface(15, 'x');  // IFNAMSIZ - 1
        LinkOptions link{interface, {Buffer(dnsmasq_v4_octets_max), {}}, {}};
        link.v6.options = {Buffer(dnsmasq_v6_octets_max)};
        std::string text = options_text(std::vector{link});
        while (!text.empty()) {
            CHECK(text.find('\n') <= 1024);
            text.erase(0, text.find('\n') + 1);
        }
    }

    TEST_CASE("an interface that dnsmasq can't tag by is told of nothing, and that is said") {
        for (const char* name : {"", "a,b", "!lan", "lan\n162", "l n", "\"l\""}) {
            const LinkOptions link = link_options(name, std::vector{dot(1, "cpe1.example")});
            CHECK(link.v4.payload.empty());
            CHECK(link.v6.options.empty());
            CHECK(link.v4.left_out.size() == 1);
        }
    }

    TEST_CASE("servers have their port and zone") {
        CHECK(below_header(
                  servers_text(std::vector<DnsServer>{{*parse_address("127.0.0.1"), 5453, ""},
                                                      {*parse_address("::1"), 5453, ""},
                                                      {*parse_address("fe80::1"), 53, "eth0"}})) ==
              "server=127.0.0.1#5453\n"
              "server=::1#5453\n"
              "server=fe80::1%eth0#53\n");
        CHECK(below_header(servers_text({})).empty());
    }

    TEST_CASE("the former servers are those of the resolv.conf, without dnsmasq itself") {
        const auto servers = former_servers(
            "# nameserver 192.0.2.9\n"
            "search lan\n"
            "nameserver 192.0.2.53 # the ISP's\n"
            "\tnameserver\t2001:db8::53\r\n"
            "nameserver fe80::1%eth0\n"
            "nameserver 127.0.0.1\n"
            "nameserver ::1\n"
            "nameserver 127.0.0.53\n"
            "nameserver not-an-address\n"
            "nameserver fe80::1%a,b\n"
            "nameserver\n"
            "nameservers 192.0.2.8\n"
            "nameserver 192.0.2.54");
        CHECK(servers == std::vector<DnsServer>{{*parse_address("192.0.2.53"), 53, ""},
                                                {*parse_address("2001:db8::53"), 53, ""},
                                                {*parse_address("fe80::1"), 53, "eth0"},
                                                {*parse_address("127.0.0.53"), 53, ""},
                                                {*parse_address("192.0.2.54"), 53, ""}});
        std::string many;
        for (int i = 0; i < 100; ++i) many += "nameserver 192.0.2." + std::to_string(i) + "\n";
        CHECK(former_servers(many).size() == former_servers_max);
        CHECK(former_servers("").empty());
    }

    TEST_CASE("the fragment names both files and the router's own name") {
        DnsmasqFragment fragment{"/run/servers", "/run/options", {}, {}};
        CHECK(below_header(fragment_text(fragment)) ==
              "no-resolv\nservers-file=/run/servers\ndhcp-optsfile=/run/options\n");
        fragment.adn = *dns::parse_name("cpe1.example.net");
        fragment.addresses = {*parse_address("192.168.77.1"), *parse_address("fd77::1")};
        CHECK(below_header(fragment_text(fragment)) ==
              "no-resolv\nservers-file=/run/servers\ndhcp-optsfile=/run/options\n"
              "host-record=cpe1.example.net,192.168.77.1\n"
              "host-record=cpe1.example.net,fd77::1\n"
              "rebind-domain-ok=/cpe1.example.net/\n");
    }
}

}  // namespace
}  // namespace porchlight::dhcp
