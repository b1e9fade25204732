#include "dhcp/dnsmasq_feed.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

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

/// What one link's hosts are told of `resolvers`.
DnsmasqOptions on_link(std::string link, std::vector<dns::EncryptedResolver> resolvers,
                       const DnsmasqUse& use = {}) {
    const std::vector<TaggedResolvers> links{{std::move(link), std::move(resolvers)}};
    return dnsmasq_options(links, {}, use);
}

/// The text after the first line, which is the same everywhere.
std::string below_header(const std::string& text) {
    CHECK(text.starts_with("# "));
    return text.substr(text.find('\n') + 1);
}

TEST_SUITE("dhcp/dnsmasq_feed") {
    TEST_CASE("each link has a line for each family") {
        CHECK(below_header(options_text(on_link("br-lan", {dot(1, "cpe1.example")}))) ==
              "tag:br-lan,162,00:1e:00:01:0e:04:63:70:65:31:07:65:78:61:6d:70:6c:65:00:04:c0:a8:"
              "4d:01:00:01:00:04:03:64:6f:74\n"
              "tag:br-lan,option6:144,00:01:00:0e:04:63:70:65:31:07:65:78:61:6d:70:6c:65:00:00:10:"
              "fd:77:00:00:00:00:00:00:00:00:00:00:00:00:00:01:00:01:00:04:03:64:6f:74\n");
    }

    TEST_CASE("what a file told can be asked of it") {
        const std::string text = options_text(on_link("br-lan", {dot(1, "cpe1.example")}));
        CHECK(tells(text, "br-lan", *dns::parse_name("cpe1.example")));
        CHECK(!tells(text, "br-lan", *dns::parse_name("cpe2.example")));
        CHECK(!tells(text, "br-guest", *dns::parse_name("cpe1.example")));
        CHECK(!tells("", "br-lan", *dns::parse_name("cpe1.example")));
        CHECK(tells(text, "br-lan"));
        CHECK(!tells(text, "br-guest"));
    }

    TEST_CASE("nothing to tell is a file without an option") {
        CHECK(below_header(options_text({})).empty());
        CHECK(below_header(options_text(on_link("br-lan", {}))).empty());
    }

    TEST_CASE("a carrier that is not dnsmasq's has no line") {
        DnsmasqUse v4_only;
        v4_only.v6 = false;
        CHECK(options_text(on_link("br-lan", {dot(1, "cpe1.example")}, v4_only)).find("option6") ==
              std::string::npos);
        DnsmasqUse v6_only;
        v6_only.v4 = false;
        CHECK(options_text(on_link("br-lan", {dot(1, "cpe1.example")}, v6_only)).find(",162,") ==
              std::string::npos);
    }

    TEST_CASE("DHCPv6 tells of one resolver, DHCPv4 of those that fit") {
        std::vector<dns::EncryptedResolver> many;
        for (std::uint16_t i = 1; i <= 9; ++i)
            many.push_back(dot(i, "resolver" + std::to_string(i) + ".example"));
        const HostOptions link = on_link("br-lan", many).links[0];
        CHECK(link.v6.options.size() == 1);
        CHECK(link.v6.left_out.size() == 8);
        REQUIRE(link.v4.options.size() == 1);
        const auto four = parse_v4_dnr(link.v4.options[0].data);
        REQUIRE(four);
        CHECK(four->size() == 5);
        CHECK(link.v4.options[0].data.size() <= dnsmasq_v4_room);
        CHECK(link.v4.left_out.size() == 4);
    }

    TEST_CASE("one long instance is better than none") {
        const std::string label(60, 'a');
        const HostOptions link =
            on_link("br-lan", {dot(1, label + "." + label + "." + label)}).links[0];
        REQUIRE(link.v4.options.size() == 1);
        CHECK(link.v4.options[0].data.size() > dnsmasq_v4_room);
        CHECK(link.v4.left_out.empty());
    }

    TEST_CASE("both forms are told at once, and share the room of DHCPv4") {
        DnsmasqUse both;
        both.forms.formats = {dns::Format::rfc9463, dns::Format::draft_btw_11};
        const DnsmasqOptions options = on_link("br-lan", {dot(1, "cpe1.example")}, both);
        const std::string text = options_text(options);
        for (const char* code :
             {",162,", ",230,", ",option6:144,", ",option6:65001,", ",option6:65002,"}) {
            CAPTURE(code);
            CHECK(text.find(code) != std::string::npos);
        }
        std::vector<dns::EncryptedResolver> many;
        for (std::uint16_t i = 1; i <= 9; ++i)
            many.push_back(dot(i, "resolver" + std::to_string(i) + ".example"));
        const CarrierOptions v4 = on_link("br-lan", many, both).links[0].v4;
        std::size_t octets = 0;
        for (const auto& option : v4.options) octets += option.data.size();
        CHECK(octets <= dnsmasq_v4_room);
        CHECK(std::any_of(v4.left_out.begin(), v4.left_out.end(), [](const dns::LeftOut& one) {
            return one.why.starts_with("in the draft's form: ");
        }));
    }

    TEST_CASE("a group's lines stand behind the links', for dnsmasq sends the last that applies") {
        const std::vector<TaggedResolvers> links{{"br-lan", {dot(1, "cpe1.example")}}};
        const std::vector<TaggedResolvers> groups{{"kids", {dot(1, "family.example")}, {"br-lan"}}};
        const std::string text = options_text(dnsmasq_options(links, groups, {}));
        CHECK(text.find("tag:kids,tag:br-lan,162,") > text.find("\ntag:br-lan,162,"));
        CHECK(text.find("tag:kids,tag:br-lan,option6:144,") >
              text.find("\ntag:br-lan,option6:144,"));
        CHECK(text.find('!') == std::string::npos);
    }

    TEST_CASE("a group has its lines on each of its links, and on no other") {
        const std::vector<TaggedResolvers> links{{"br-lan", {}}, {"br-iot", {}}, {"br-guest", {}}};
        const std::vector<TaggedResolvers> groups{
            {"kids", {dot(1, "family.example")}, {"br-lan", "br-guest", "a,b"}}};
        const DnsmasqOptions options = dnsmasq_options(links, groups, {});
        const std::string text = options_text(options);
        for (const char* code : {"162,", "option6:144,"}) {
            CHECK(text.find(std::string("\ntag:kids,tag:br-lan,") + code) != std::string::npos);
            CHECK(text.find(std::string("\ntag:kids,tag:br-guest,") + code) != std::string::npos);
        }
        CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 4);
        CHECK(!tells(text, "br-lan", *dns::parse_name("family.example")));
        CHECK(options.groups[0].v4.left_out.empty());
    }

    TEST_CASE("a group whose links dnsmasq can't tag by is told of nothing, and that is said") {
        const std::vector<TaggedResolvers> groups{{"kids", {dot(1, "family.example")}, {"a,b"}}};
        const DnsmasqOptions options = dnsmasq_options({}, groups, {});
        CHECK(below_header(options_text(options)).empty());
        CHECK(options.groups[0].v4.left_out.size() == 1);
        CHECK(options.groups[0].v6.left_out.size() == 1);
    }

    TEST_CASE("what some links are told can be left out; where nothing is left there is no text") {
        const std::string text =
            "# a line for people\ntag:br-lan,162,01\ntag:br-lan,tag:!kids,162,02\n"
            "tag:br-lan2,162,03\ntag:kids,tag:br-lan,162,04\n";
        const std::vector<std::string> lan{"br-lan"}, all{"br-lan", "br-lan2", "kids"};
        CHECK(without(text, lan) ==
              "# a line for people\ntag:br-lan2,162,03\ntag:kids,tag:br-lan,162,04\n");
        CHECK(without(text, {}) == text);
        CHECK(without(text, all).empty());
        CHECK(without("", all).empty());
    }

    TEST_CASE("a group that a carrier tells nothing is kept from what its link is told") {
        dns::EncryptedResolver v4_only = dot(1, "family.example");
        v4_only.addresses.pop_back();
        const std::vector<TaggedResolvers> links{{"br-lan", {dot(1, "cpe1.example")}}};
        const std::vector<TaggedResolvers> groups{{"kids", {v4_only}, {"br-lan"}},
                                                  {"none", {}, {"br-lan"}}};
        const std::string text = options_text(dnsmasq_options(links, groups, {}));
        CHECK(text.find("tag:br-lan,tag:!none,162,") != std::string::npos);
        CHECK(text.find("tag:br-lan,tag:!kids,tag:!none,option6:144,") != std::string::npos);
        CHECK(text.find("tag:kids,tag:br-lan,162,") != std::string::npos);
        CHECK(text.find("tag:kids,tag:br-lan,option6") == std::string::npos);
    }

    TEST_CASE(
        "under an enterprise's number the draft's options are sub-options, for each host once") {
        DnsmasqUse use;
        use.forms.formats = {dns::Format::draft_btw_11};
        use.forms.code_points.enterprise = 32473;
        const std::vector<TaggedResolvers> links{{"br-lan", {dot(1, "cpe1.example")}}};
        const std::vector<TaggedResolvers> groups{{"kids", {dot(1, "family.example")}, {"br-lan"}}};
        const std::string text = options_text(dnsmasq_options(links, groups, use));
        CHECK(text.find("tag:br-lan,tag:!kids,vi-encap:32473,option6:1,") != text.npos);
        CHECK(text.find("tag:br-lan,tag:!kids,vi-encap:32473,option6:2,") != text.npos);
        CHECK(text.find("tag:kids,tag:br-lan,vi-encap:32473,option6:1,") != text.npos);
        CHECK(text.find("tag:br-lan,230,") != text.npos);  // DHCPv4 has no such thing
        CHECK(text.find("6500") == text.npos);
        CHECK(tells(text, "kids", *dns::parse_name("family.example")));
        // The words before the octets are longer, and the line is not.
        use.forms.code_points.enterprise = 0xffffffff;
        dns::EncryptedResolver wide = dot(1, "wide.example");
        for (std::uint8_t i = 1; i <= 40; ++i) {
            wide.addresses.push_back(Ipv6{{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, i}});
            const std::vector<TaggedResolvers> one{{"br-lan", {wide}}};
            std::istringstream lines(options_text(dnsmasq_options(one, {}, use)));
            for (std::string line; std::getline(lines, line);)
                CHECK(line.size() <= dnsmasq_line_max);
        }
    }

    TEST_CASE("no line of the options file is longer than dnsmasq reads") {
        const std::string interface(15, 'x');  // IFNAMSIZ - 1
        const std::string label(62, 'a');
        std::vector<dns::EncryptedResolver> long_one{dot(1, label + "." + label + "." + label)};
        const auto address = *parse_ipv6("fd77::1");
        for (std::size_t i = 0; i < 20; ++i) {
            long_one[0].addresses.push_back(address);
            std::vector<TaggedResolvers> groups;
            for (char c = 'a'; c < 'i'; ++c) groups.push_back({std::string(16, c), {}});
            groups.push_back({std::string(16, 'i'), long_one, {"br-lan", interface}});
            const std::vector<TaggedResolvers> links{{interface, long_one}};
            std::string text = options_text(dnsmasq_options(links, groups, {}));
            while (!text.empty()) {
                CHECK(text.find('\n') <= dnsmasq_line_max);
                text.erase(0, text.find('\n') + 1);
            }
        }
    }

    TEST_CASE("an interface that dnsmasq can't tag by is told of nothing, and that is said") {
        for (const char* name : {"", "a,b", "!lan", "lan\n162", "l n", "\"l\""}) {
            const HostOptions link = on_link(name, {dot(1, "cpe1.example")}).links[0];
            CHECK(link.v4.options.empty());
            CHECK(link.v6.options.empty());
            CHECK(link.v4.left_out.size() == 1);
        }
    }

    TEST_CASE("dnsmasq gives a group's hosts its tag, and no reservation suffers") {
        DnsmasqFragment fragment{"/run/servers", "/run/options", {}, {}};
        fragment.groups = {{"kids", {"02:00:5e:10:00:01", "02:00:5e:10:00:02"}}};
        const std::string text = fragment_text(fragment);
        CHECK(text.find("dhcp-mac=set:kids,02:00:5e:10:00:01\n"
                        "dhcp-mac=set:kids,02:00:5e:10:00:02\n") != std::string::npos);
        CHECK(text.find("dhcp-host") == std::string::npos);
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

    TEST_CASE("what may lead into the home by our word may by dnsmasq's") {
        DnsmasqFragment fragment{"/run/servers", "/run/options", {}, {}};
        fragment.may_lead_home = {*dns::parse_name("plex.direct"), *dns::parse_name("a\\032b.test"),
                                  *dns::parse_name("_x.example")};
        CHECK(below_header(fragment_text(fragment)) ==
              "no-resolv\nservers-file=/run/servers\ndhcp-optsfile=/run/options\n"
              "rebind-domain-ok=/plex.direct/\n"
              "rebind-domain-ok=/_x.example/\n");
    }
}

}  // namespace
}  // namespace porchlight::dhcp
