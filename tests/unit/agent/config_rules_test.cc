#include "config_fixture.h"

namespace porchlight::agent {
namespace {

/// A file with one entry in announce.resolvers, beside adn as given.
std::string announcing(std::string_view rest) {
    return R"({"lan": [{"interface": "br-lan"}], "announce": {"resolvers": [{"adn": "d.example")" +
           std::string(rest) + "}]}}";
}

TEST_SUITE("agent/config_rules") {
    TEST_CASE("an interface of the home stands there once, and is none of the Internet") {
        CHECK(complaints(with(full_config, "\"br-guest\"", "\"br-lan\"")) ==
              "/lan/1/interface: \"br-lan\" stands here twice\n");
        CHECK(complaints(with(full_config, "eth0", "br-guest")) ==
              "/wan/0/interface: \"br-guest\" stands in lan too; what the home may use, the "
              "Internet may not\n");
    }

    TEST_CASE("mode forwarder needs a name, an upstream, a certificate and a home") {
        CHECK(complaints(R"({"mode": "forwarder"})") ==
              "/resolver/adn: missing; the name by which hosts authenticate this router\n"
              "/upstream: missing; whom this router asks; or wan, the interface whose offers it "
              "takes instead\n"
              "/certificate: missing; files or acme, because hosts authenticate this router by its "
              "certificate\n"
              "/lan: missing; the interfaces whose hosts are told\n");
    }

    TEST_CASE("odhcpd has one list for DHCPv6 and advertisements, so nobody else sends either") {
        const auto carried = [](std::string dhcpv6, std::string ra) {
            return complaints(R"({"lan": [{"interface": "br-lan"}], "announce": {"dhcpv6": ")" +
                              dhcpv6 + R"(", "ra": ")" + ra + R"("}})");
        };
        for (const char* ra : {"supplement", "off"})
            CHECK(carried("odhcpd", ra) ==
                  "/announce/ra: must be \"auto\", \"odhcpd\" or \"full\": odhcpd, which "
                  "announce.dhcpv6 names, puts the same into its Router Advertisements\n");
        CHECK(carried("off", "odhcpd") ==
              "/announce/dhcpv6: must be \"auto\", \"odhcpd\" or \"dnsmasq\": odhcpd, which "
              "announce.ra names, puts the same into DHCPv6\n");
        CHECK(carried("odhcpd", "odhcpd") == "");
        CHECK(carried("odhcpd", "full") == "");
        CHECK(carried("dnsmasq", "odhcpd") == "");
        for (const char* ra : {"auto", "supplement", "full", "odhcpd", "off"})
            CHECK(carried("auto", ra) == "");
        for (const char* dhcpv6 : {"auto", "dnsmasq", "odhcpd", "off"})
            CHECK(carried(dhcpv6, "auto") == "");
    }

    TEST_CASE("where odhcpd is told, each link has a section of its own") {
        const auto home = [](std::string lan) {
            return complaints(R"({"lan": [)" + lan +
                              R"(], "announce": {"dhcpv6": "odhcpd", "ra": "odhcpd"}})");
        };
        CHECK(
            home(R"({"interface": "eth1.3"})") ==
            "/lan/0/uci_section: \"eth1.3\" is no name of a section; expected letters, digits and "
            "'_', such as \"lan\"\n");
        CHECK(home(R"({"interface": "eth1.3", "uci_section": "lan"})") == "");
        CHECK(home(R"({"interface": "br-lan"}, {"interface": "lan"})") ==
              "/lan/1/uci_section: \"lan\" stands for another interface already\n");
        CHECK(complaints(R"({"lan": [{"interface": "eth1.3"}]})") == "");
    }

    TEST_CASE("mode auto with a resolver is mode forwarder") {
        const std::string said = complaints(R"({"resolver": {"adn": "a.example"}})");
        CHECK(said.find("/upstream: missing") != std::string::npos);
        CHECK(said.find("/certificate: missing") != std::string::npos);
    }

    TEST_CASE("where there is a WAN nobody need be named who is asked") {
        const std::string said =
            complaints(R"({"resolver": {"adn": "a.example"}, "wan": [{"interface": "eth0"}]})");
        CHECK(said.find("/upstream: missing") == std::string::npos);
        CHECK(said.find("/certificate: missing") != std::string::npos);
    }

    TEST_CASE("mode static needs resolvers and neither certificate nor upstream") {
        CHECK(complaints(R"({"mode": "static", "lan": [{"interface": "br-lan"}]})") ==
              "/announce/resolvers: missing; mode \"static\" announces these\n");
        CHECK(complaints(announcing(R"(, "addresses": "192.0.2.1", "dot": {})")) == "");
        CHECK(complaints(with(announcing(""), R"("lan": [{"interface": "br-lan"}], )", "")) ==
              "/lan: missing; the interfaces whose hosts are told\n");
    }

    TEST_CASE("mode relay needs a WAN, whose offers hosts are told of") {
        CHECK(complaints(R"({"mode": "relay", "lan": [{"interface": "br-lan"}],
                             "wan": [{"interface": "eth0"}]})") == "");
        CHECK(complaints(R"({"mode": "relay", "lan": [{"interface": "br-lan"}]})") ==
              "/wan: missing; mode \"relay\" tells hosts what these offer\n");
        CHECK(complaints(R"({"mode": "relay", "wan": [{"interface": "eth0"}]})") ==
              "/lan: missing; the interfaces whose hosts are told\n");
        CHECK(complaints(R"({"lan": [{"interface": "br-lan", "mode": "relay"}]})") ==
              "/wan: missing; mode \"relay\" tells hosts what these offer\n");
        CHECK(complaints(R"({"wan": [{"interface": "eth0"}], "lan": [{"interface": "br-lan",
                             "mode": "relay", "resolvers": [{"adn": "a.example"}]}]})") ==
              "/lan/0/resolvers: have no effect in mode \"relay\"\n");
        // Left to itself it relays where there is a WAN, and asks for nothing more.
        CHECK(complaints(R"({"wan": [{"interface": "eth0"}]})") == "");
    }

    TEST_CASE("a router may ask upstreams and announce nothing") {
        CHECK(complaints(R"({"lan": [{"interface": "br-lan"}],
                             "upstream": [{"adn": "d.example", "addresses": "192.0.2.1"}]})") ==
              "");
        CHECK(complaints(R"({"mode": "off"})") == "");
    }

    TEST_CASE("hosts are told of no address that they can't reach (RFC 9463 section 3.1.8)") {
        for (std::string_view address : {"127.0.0.1", "::1", "224.0.0.1", "ff02::1", "0.0.0.0",
                                         "::", "255.255.255.255", "::ffff:192.0.2.1"}) {
            CAPTURE(address);
            const std::string said = complaints(announcing(
                R"(, "dot": {}, "addresses": ["192.0.2.1", ")" + std::string(address) + "\"]"));
            CHECK(said.starts_with("/announce/resolvers/0/addresses/1: "));
            CHECK(said.find("is no address that hosts could reach") != std::string::npos);
        }
    }

    TEST_CASE("a name all alone is announced; anything beside it needs addresses and protocols") {
        CHECK(complaints(announcing("")) == "");
        for (std::string_view spoken : {R"(, "dot": {})", R"(, "doq": {})", R"(, "doh": [{}])"}) {
            CAPTURE(spoken);
            CHECK(complaints(announcing(spoken)) ==
                  "/announce/resolvers/0/addresses: missing; only an adn all alone lets hosts look "
                  "up the rest\n");
        }
        CHECK(complaints(announcing(R"(, "addresses": "192.0.2.1")")) ==
              "/announce/resolvers/0: missing; which protocols it speaks: dot, doq or doh\n");
    }

    TEST_CASE("DNS over HTTPS needs a path with the variable dns (RFC 9461 section 5)") {
        const auto with_path = [](std::string_view path) {
            return complaints(announcing(R"(, "addresses": "192.0.2.1", "doh": [{"path": ")" +
                                         std::string(path) + "\"}]"));
        };
        CHECK(with_path("/dns-query{?dns}") == "");
        CHECK(with_path("/q?dns={dns}") == "");
        for (std::string_view path : {"/dns-query", "dns-query{?dns}", "/{?x}", "/{#dns}"}) {
            CAPTURE(path);
            CHECK(with_path(path).starts_with("/announce/resolvers/0/doh/0/path: expected a path"));
        }
    }

    TEST_CASE("a version of HTTP stands once in a list") {
        CHECK(complaints(announcing(
                  R"(, "addresses": "192.0.2.1", "doh": [{"versions": ["h2", "h2"]}])")) ==
              "/announce/resolvers/0/doh/0/versions/1: \"h2\" stands here twice\n");
    }

    TEST_CASE("resolvers of a link and of a group are judged like the home's") {
        const std::string of_a_link =
            R"({"lan": [{"interface": "a", "resolvers": [{"adn": "d.example", "dot": {}}]}]})";
        CHECK(complaints(of_a_link).starts_with("/lan/0/resolvers/0/addresses: missing"));
        const std::string of_a_group =
            R"({"announce": {"groups": [{"tag": "k", "resolvers": [{"adn": "d", "doq": {}}]}]}})";
        CHECK(complaints(of_a_group)
                  .starts_with("/announce/groups/0/resolvers/0/addresses: missing"));
    }

    TEST_CASE("a name that makes systemd discard the whole option is not announced") {
        const std::string why =
            "adn: \"dns_1.example\" has an underscore, for which systemd discards the option\n";
        CHECK(
            complaints(with(full_config, "cpe1.example.net\", \"dot\"", "dns_1.example\", \"dot\""))
                .starts_with("/resolver/" + why));
        CHECK(complaints(with(announcing(""), "d.example", "dns_1.example")) ==
              "/announce/resolvers/0/" + why);
        CHECK(complaints(with(full_config, "guests.example.org", "dns_1.example")) ==
              "/lan/1/resolvers/0/" + why);
        CHECK(complaints(with(full_config, "family.example.org", "dns_1.example")) ==
              "/announce/groups/0/resolvers/0/" + why);
    }

    TEST_CASE("hosts are told of no port that clients block (RFC 9461 section 4.2)") {
        const std::string why =
            "port: 53 is a port that clients refuse to connect to (RFC 9461 section 4.2)\n";
        for (std::string_view protocol : {"dot", "doq"})
            CHECK(complaints(announcing(R"(, "addresses": "192.0.2.1", ")" + std::string(protocol) +
                                        R"(": {"port": 53})")) ==
                  "/announce/resolvers/0/" + std::string(protocol) + '/' + why);
        CHECK(complaints(announcing(
                  R"(, "addresses": "192.0.2.1", "doh": [{"port": 853}, {"port": 53}])")) ==
              "/announce/resolvers/0/doh/1/" + why);
        CHECK(complaints(with(full_config, "\"port\": 8853", "\"port\": 53")) ==
              "/resolver/dot/" + why);
    }

    TEST_CASE("an address is no name") {
        CHECK(complaints(with(announcing(""), "d.example", "192.0.2.53")) ==
              "/announce/resolvers/0/adn: expected a host name, such as \"dns.example.net\", found "
              "\"192.0.2.53\"\n");
        CHECK(complaints(with(full_config, "dns.isp.test", "192.0.2.53"))
                  .starts_with("/upstream/0/adn: expected a host name"));
    }

    TEST_CASE("a path that makes systemd discard the whole option is not announced") {
        for (std::string_view path : {"/q{?dns,ct}", "/%7Eu{?dns}", "/a|b{?dns}"}) {
            CAPTURE(path);
            CHECK(complaints(announcing(R"(, "addresses": "192.0.2.1", "doh": [{}, {"path": ")" +
                                        std::string(path) + "\"}]")) ==
                  "/announce/resolvers/0/doh/1/path: expected letters, digits and "
                  "-._~:/?#[]@!$&'()*+;={} alone; for others systemd discards the option\n");
        }
    }

    TEST_CASE("a link's own mode has what it needs") {
        CHECK(complaints(R"({"lan": [{"interface": "a", "mode": "static"}]})") ==
              "/lan/0/resolvers: missing; mode \"static\" announces these\n");
        CHECK(complaints(R"({"lan": [{"interface": "a", "mode": "off",
                                      "resolvers": [{"adn": "d.example"}]}]})") ==
              "/lan/0/resolvers: have no effect in mode \"off\"\n");
        CHECK(complaints(R"({"lan": [{"interface": "a", "mode": "forwarder"}]})")
                  .starts_with("/resolver/adn: missing"));
        CHECK(complaints(R"({"mode": "static", "lan": [{"interface": "a",
                             "resolvers": [{"adn": "d.example"}]}]})") == "");
    }

    TEST_CASE("formats and their code points differ from each other") {
        const auto announce = [](std::string_view text) {
            return complaints(R"({"announce": {)" + std::string(text) + "}}");
        };
        CHECK(announce(R"("formats": ["rfc9463", "rfc9463"])") ==
              "/announce/formats/1: stands here twice\n");
        CHECK(announce(R"("code_points": {"ra_adn": 254})")
                  .starts_with("/announce/code_points/ra_addresses: is ra_adn too"));
        CHECK(announce(R"("code_points": {"dhcpv6_adn": 65002})")
                  .starts_with("/announce/code_points/dhcpv6_addresses: is dhcpv6_adn too"));
        CHECK(announce(R"("code_points": {"dhcpv6_templates": 65002})")
                  .starts_with("/announce/code_points/dhcpv6_templates: is the number"));
    }

    TEST_CASE("DNS over HTTPS has a port and a path that this router can serve") {
        const auto doh = [](std::string_view text) {
            return complaints(R"({"mode": "off", "resolver": {"adn": "a.example", "doh": )" +
                              std::string(text) + "}}");
        };
        CHECK(doh("[{}]") == "");
        CHECK(doh(R"([{}, {"path": "/kitchen{?dns}"}, {"port": 8443}])") == "");
        CHECK(doh("[{}, {}]") == "/resolver/doh/1: port and path stand here twice\n");
        CHECK(doh(R"([{"port": 853}])") == "/resolver/doh/0/port: 853 is resolver.dot.port too\n");
        CHECK(doh(R"([{"port": 5453}])") == "/resolver/doh/0/port: 5453 is do53.port too\n");
        CHECK(doh(R"([{"port": 53}])")
                  .starts_with("/resolver/doh/0/port: 53 is a port that clients refuse"));
        CHECK(doh(R"([{"path": "/dns-query"}])")
                  .starts_with("/resolver/doh/0/path: expected a path with the variable dns"));
        CHECK(doh(R"([{"path": "/q/{dns}"}])")
                  .starts_with("/resolver/doh/0/path: expected a path with {?dns} at its end"));
        CHECK(doh(R"([{"versions": "http/1.1"}])") ==
              "/resolver/doh/0/versions: expected \"h2\" among them\n");
        CHECK(doh(R"([{"versions": ["h2", "http/1.1"]}])") == "");
    }

    TEST_CASE("a default router is one for longer than its advertisements are apart") {
        const auto announce = [](std::string_view text) {
            return complaints(R"({"announce": {)" + std::string(text) + "}}");
        };
        CHECK(announce(R"("ra_interval": "30min", "router": {"lifetime": "20min"})") ==
              "/announce/router/lifetime: must be \"0s\" or not shorter than ra_interval, which is "
              "\"1800s\" (RFC 4861 section 6.2.1)\n");
        CHECK(announce(R"("router": {"lifetime": "0s"})") == "");
        CHECK(announce(R"("router": {"mtu": 1279})").starts_with("/announce/router/mtu: "));
        CHECK(announce(R"("router": {"rdnss": "ff02::1"})")
                  .starts_with("/announce/router/rdnss/0: "));
    }

    TEST_CASE("a device is an exception once, for domains or for all") {
        const auto devices = [](std::string_view text) {
            return complaints(R"({"rebinding": {"allow_devices": [)" + std::string(text) + "]}}");
        };
        CHECK(devices(R"({"mac": "02:00:5e:10:00:01"}, {"mac": "02:00:5e:10:00:02"})") == "");
        CHECK(devices(R"({"mac": "02:00:5e:10:00:01"}, {"mac": "02:00:5E:10:00:01"})") ==
              "/rebinding/allow_devices/1/mac: \"02:00:5e:10:00:01\" stands here twice\n");
        CHECK(devices(R"({"domains": "a.example"})") ==
              "/rebinding/allow_devices/0: missing; mac or id: which device it is\n");
        CHECK(devices(R"({"mac": "02:00:5e:10:00:01", "id": "tv"})") ==
              "/rebinding/allow_devices/0: has mac and id; one of them must go\n");
        CHECK(devices(R"({"id": "tv"}, {"id": "tablet"}, {"mac": "02:00:5e:10:00:01"})") == "");
        CHECK(devices(R"({"id": "tv"}, {"id": "TV"})") ==
              "/rebinding/allow_devices/1/id: \"tv\" stands here twice\n");
        for (const char* id : {"", "a.b", "a b", "-a", "a-", "_a", "a.", "\u00e4"}) {
            CAPTURE(id);
            CHECK(devices(R"({"id": ")" + std::string(id) + "\"}")
                      .starts_with("/rebinding/allow_devices/0/id: expected a label"));
        }
        CHECK(devices(R"({"id": ")" + std::string(63, 'a') + "\"}") == "");
        CHECK(devices(R"({"id": ")" + std::string(64, 'a') + "\"}") != "");
        CHECK(devices(R"({"mac": "02:00:5e:10:00:01", "domains": []})")
                  .starts_with("/rebinding/allow_devices/0/domains: "));
    }

    TEST_CASE("a host is in one group, and a group's tag is no interface's") {
        const auto groups = [](std::string_view text) {
            return complaints(R"({"lan": [{"interface": "br-lan"}], "announce": {"groups": [)" +
                              std::string(text) + "]}}");
        };
        CHECK(groups(R"({"tag": "a"}, {"tag": "a"})") ==
              "/announce/groups/1/tag: \"a\" stands here twice\n");
        CHECK(groups(R"({"tag": "br-lan"})").starts_with("/announce/groups/0/tag: \"br-lan\" is"));
        CHECK(groups(R"({"tag": "a", "hosts": ["02:00:5e:10:00:01"]},
                        {"tag": "b", "hosts": "02:00:5E:10:00:01"})") ==
              "/announce/groups/1/hosts/0: \"02:00:5e:10:00:01\" stands here twice\n");
        CHECK(groups(R"({"tag": "a,b", "hosts": "02:00:5e:10:00"})") ==
              "/announce/groups/0/tag: expected a tag of at most 16 letters, digits, '-' and '_', "
              "found \"a,b\"\n"
              "/announce/groups/0/hosts: expected a hardware address, such as "
              "\"02:00:5e:10:00:01\", or a list of such, found \"02:00:5e:10:00\"\n");
    }

    TEST_CASE("a listener of ours and dnsmasq's can't have the same port") {
        CHECK(complaints(with(full_config, "\"port\": 5300", "\"port\": 5353"))
                  .starts_with("/do53/port: 5353 is the port of local.server"));
        // Never in clear text, wherever DNS over TLS is.
        const std::string clear =
            "/do53/port: 853 is the port of DNS over TLS, where nothing goes "
            "in clear text (RFC 7858 section 3.1)\n";
        CHECK(complaints(with(full_config, "\"port\": 5300", "\"port\": 853")) == clear);
        CHECK(complaints(R"({"do53": {"port": 853}})") == clear);
        // It is said once, also where DNS over TLS is at its own port.
        CHECK(complaints(with(with(full_config, "\"port\": 5300", "\"port\": 853"),
                              "\"port\": 8853", "\"port\": 853")) == clear);
        CHECK(complaints(R"({"do53": {"port": 853, "addresses": []}})") == "");
        CHECK(complaints(with(full_config, "\"port\": 5300", "\"port\": 8853")) ==
              "/resolver/dot/port: 8853 is do53.port too\n");
        CHECK(complaints(with(full_config, "\"port\": 8853", "\"port\": 5353")) ==
              "/resolver/dot/port: 5353 is the port of local.server too\n");
        CHECK(complaints(with(full_config, "127.0.0.1:5353", "192.0.2.9:5300")) == "");
    }

    TEST_CASE("metrics are served where no privilege is needed, and not to everybody") {
        const auto listening = [](std::string_view list) {
            return complaints(with(full_config, R"(["[::1]", "192.168.77.1:9900"])", list));
        };
        CHECK(listening(R"("192.168.77.1")") == "");
        CHECK(listening(R"(["127.0.0.1:80"])") ==
              "/metrics/listen/0: expected a port from 1024, found 80\n");
        for (const char* at : {"0.0.0.0:9853", "[::]:9853", "224.0.0.1:9853", "[fe80::1]:9853"}) {
            CAPTURE(at);
            const std::string text(at);
            CHECK(listening('"' + text + '"').find("is neither loopback nor an address") !=
                  std::string::npos);
        }
        CHECK(listening(R"(["[::1]", "[::1]:9853"])") ==
              "/metrics/listen/1: [::1]:9853 stands here twice\n");
        CHECK(listening(R"(["192.168.77.1:8853"])") ==
              "/metrics/listen/0: 8853 is resolver.dot.port too\n");
        CHECK(listening(R"(["[::1]:5300"])") == "/metrics/listen/0: 5300 is do53.port too\n");
        CHECK(listening(R"(["192.168.77.1:5300"])") == "");
        CHECK(listening(R"(["127.0.0.1:5353"])") ==
              "/metrics/listen/0: 127.0.0.1:5353 is local.server\n");
    }

    TEST_CASE("an upstream can be connected to, and is somebody else") {
        const std::string addresses = R"(["192.0.2.53", "2001:db8::53"], "port": 8530)";
        for (std::string_view address : {"fe80::1", "ff02::1", "0.0.0.0", "::"}) {
            CAPTURE(address);
            CHECK(complaints(with(full_config, addresses,
                                  "\"" + std::string(address) + "\", \"port\": 8530"))
                      .starts_with("/upstream/0/addresses/0: "));
        }
        CHECK(complaints(with(full_config, addresses, R"("127.0.0.1", "port": 8530)")) == "");
        CHECK(complaints(with(full_config, "dns.isp.test", "CPE1.example.net.")) ==
              "/upstream/0/adn: is this router's own name; a question would come back to it\n");
    }

    TEST_CASE("a certificate comes from one place, and its name lies in the zone") {
        CHECK(complaints(with(full_config, R"("certificate": {)",
                              R"("certificate": {"files": {"chain": "/c", "key": "/k"}, )")) ==
              "/certificate: has files and acme; one of them must go\n");
        CHECK(
            complaints(with(full_config, R"("zone": "example.net")", R"("zone": "example.org")")) ==
            "/certificate/acme/challenge/dns-01/rfc2136/zone: cpe1.example.net does not lie in "
            "zone example.org\n");
        CHECK(complaints(with(full_config, R"("zone": "example.net")",
                              R"("zone": "cpe1.example.net")")) == "");
        const std::string no_name = with(
            with(full_config, "\"forwarder\",", "\"off\","),
            R"("resolver": {"adn": "cpe1.example.net", "dot": {"port": 8853}, "application_dns": true},)",
            "");
        CHECK(complaints(no_name) ==
              "/resolver/adn: missing; the name that the certificate shall be for\n");
    }

    TEST_CASE("what is kept and what is not lie apart") {
        CHECK(complaints(with(full_config, "/tmp/run\"", "/tmp/state\""))
                  .starts_with("/runtime_directory: is state_directory too"));
    }
}

}  // namespace
}  // namespace porchlight::agent
