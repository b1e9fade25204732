#include "agent/setup_interview.h"

#include <doctest/doctest.h>

#include <sstream>

#include "agent/config.h"
#include "agent/plan.h"
#include "agent/setup_preview.h"

namespace porchlight::agent::setup {
namespace {

struct Home {
    Found found;
    Proposal proposal{{"br-lan"}, true, {"eth0"}, DnsmasqFound{}};

    Home() {
        FoundLink lan, wan;
        lan.link.name = "br-lan";
        lan.link.up = true;
        lan.link.addresses = {{*parse_address("192.168.1.1"), 24}, {*parse_address("fd00::1"), 64}};
        wan.link.name = "eth0";
        wan.default_route = true;
        found.links = {lan, wan};
        proposal.dnsmasq->fragment = "/d/porchlight.conf";
        proposal.dnsmasq->ranges = {*parse_dhcp_range("192.168.1.100,192.168.1.199"),
                                    *parse_dhcp_range("fd00::100,fd00::1ff,slaac")};
    }
};

struct Held {
    std::optional<Config> config;
    std::string why;       // why there is none
    std::string shown;     // of the questions
    std::size_t left = 0;  // octets of the answers that nobody asked for
};

Held hold(const Home& home, const std::string& typed, const Arguments& arguments = {}) {
    std::istringstream in(typed);
    std::ostringstream out;
    Dialogue dialogue(in, out, arguments, false);
    const auto choices = interview(home.found, home.proposal, dialogue);
    Held held{{}, choices ? "" : choices.error().message, out.str(), 0};
    for (std::string line; std::getline(in, line);) held.left += line.size() + 1;
    if (!choices) return held;
    const ConfigResult parsed = parse_config("new.json", bytes_of(configuration(*choices)));
    for (const Complaint& one : parsed.complaints) held.why += to_text(one) + '\n';
    held.config = parsed.config;
    return held;
}

std::string preview_of(const Held& held, const Home& home) {
    return preview(*held.config, home.found, home.proposal.dnsmasq);
}

std::vector<std::string> lan_of(const Config& config) {
    std::vector<std::string> names;
    for (const LanConfig& lan : config.lan) names.push_back(lan.interface);
    return names;
}

TEST_SUITE("agent/setup_interview") {
    TEST_CASE("two empty lines announce the first well-known resolver") {
        const Home home;
        const Held held = hold(home, "\n\n");
        REQUIRE_MESSAGE(held.config, held.why);
        CHECK(resolve_mode(*held.config) == Mode::static_);
        CHECK(lan_of(*held.config) == std::vector<std::string>{"br-lan"});
        CHECK(held.config->wan == std::vector<WanConfig>{{"eth0"}});
        CHECK(held.config->dnsmasq.fragment == "/d/porchlight.conf");
        CHECK(preview_of(held, home) ==
              "Hosts on br-lan would be told of\n"
              "  dns.quad9.net by DNS over TLS, QUIC and HTTPS at 9.9.9.9, 149.112.112.112,\n"
              "  2620:fe::fe and 2620:fe::9\n"
              "  by DHCPv4, DHCPv6 and Router Advertisement\n");
    }

    TEST_CASE(
        "every well-known resolver makes a valid configuration that all carriers have room for") {
        const Home home;
        for (const PublicResolver& one : public_resolvers()) {
            CAPTURE(one.adn);
            Arguments arguments;
            arguments.options = {{"yes", {""}}, {"resolver", {std::string(one.name)}}};
            const Held held = hold(home, "", arguments);
            REQUIRE_MESSAGE(held.config, held.why);
            const std::string text = preview_of(held, home);
            CHECK(text.find("by DHCPv4, DHCPv6 and Router Advertisement\n") != text.npos);
            CHECK(text.find("left out") == text.npos);
            CHECK(find_public_resolver(one.adn) == &one);
        }
    }

    TEST_CASE("a resolver of one's own needs name, addresses and protocols") {
        const Held held =
            hold(Home(), "3\nnot a name\ndns.isp.test\n192.0.2.53, 2001:db8::53\ndot doh\n");
        REQUIRE_MESSAGE(held.config, held.why);
        REQUIRE(held.config->announce.resolvers.size() == 1);
        const AnnouncedResolver& resolver = held.config->announce.resolvers[0];
        CHECK(dns::to_text(resolver.adn) == "dns.isp.test.");
        CHECK(resolver.addresses.size() == 2);
        CHECK(resolver.dot == 853);
        CHECK(!resolver.doq);
        CHECK(resolver.doh.size() == 1);
    }

    TEST_CASE("this router needs a name, an upstream and a certificate in files") {
        const Home home;
        const Held held = hold(home, "1\ncpe1.example.net\n\n\n/c/chain.pem\n\n");
        REQUIRE_MESSAGE(held.config, held.why);
        CHECK(resolve_mode(*held.config) == Mode::forwarder);
        CHECK(held.config->upstream.size() == 1);
        REQUIRE(held.config->certificate.files);
        CHECK(held.config->certificate.files->chain == "/c/chain.pem");
        CHECK(held.config->certificate.files->key == "/etc/porchlight/key.pem");
        const std::string text = preview_of(held, home);
        CHECK(text.find("cpe1.example.net by DNS over TLS and HTTPS at 192.168.1.1 and fd00::1") !=
              text.npos);
        CHECK(text.find("once the certificate is there") != text.npos);
    }

    TEST_CASE("where 443 is held, DNS over HTTPS takes 8443") {
        Home home;
        home.found.https_holder = "uhttpd";
        const Held held = hold(home, "1\ncpe1.example.net\n\n\n/c/chain.pem\n\n");
        REQUIRE_MESSAGE(held.config, held.why);
        REQUIRE(held.config->resolver->doh.size() == 1);
        CHECK(held.config->resolver->doh[0].port == 8443);
        CHECK(describe(home.found, home.proposal).find("held by uhttpd") != std::string::npos);
    }

    TEST_CASE("or one by ACME, whose terms nobody agrees to by an empty line") {
        const Held held = hold(Home(), "1\ncpe1.example.net\n2\n2\n\n\n\n192.0.2.1\ncpe1\n/k\n");
        REQUIRE_MESSAGE(held.config, held.why);
        REQUIRE(held.config->certificate.acme);
        CHECK(!held.config->certificate.acme->agree_to_terms);
        CHECK(dns::to_text(held.config->certificate.acme->update.zone) == "example.net.");
        CHECK(held.config->certificate.acme->update.tsig.secret.path == "/k");
    }

    TEST_CASE("interfaces are asked for where they can't be told") {
        Home home;
        home.proposal = {{}, false, {}, {}};
        const Held held = hold(home, "eth0\neth0\nbr-lan eth7\nbr-lan\n\n\n");
        REQUIRE_MESSAGE(held.config, held.why);
        CHECK(held.shown.find("the Internet is behind eth0") != held.shown.npos);
        CHECK(held.shown.find("there is no interface eth7") != held.shown.npos);
        CHECK(lan_of(*held.config) == std::vector<std::string>{"br-lan"});
        CHECK(held.config->announce.dhcpv4 == DhcpCarrier::off);  // there is no dnsmasq
        CHECK(hold(home, "\nbr-lan\n\n\n").config->wan.empty());
    }

    TEST_CASE("the command line can say it all") {
        Arguments arguments;
        arguments.options = {{"yes", {""}},
                             {"lan", {"br-a", "br-b"}},
                             {"wan", {"ppp0"}},
                             {"resolver", {"dns.isp.test"}},
                             {"address", {"192.0.2.53", "2001:db8::53"}}};
        Held held = hold(Home(), "", arguments);
        REQUIRE_MESSAGE(held.config, held.why);
        CHECK(held.shown.empty());
        CHECK(lan_of(*held.config) == std::vector<std::string>{"br-a", "br-b"});
        CHECK(held.config->announce.resolvers[0].addresses.size() == 2);
        arguments.options.erase("address");
        arguments.options["resolver"] = {"router"};
        CHECK(hold(Home(), "", arguments).why == "--yes needs --adn too");
        arguments.options["adn"] = {"cpe1.example.net"};
        arguments.options["upstream"] = {"google"};
        held = hold(Home(), "", arguments);
        REQUIRE_MESSAGE(held.config, held.why);
        CHECK(dns::to_text(held.config->upstream[0].adn) == "dns.google.");
    }

    TEST_CASE("an option that would change nothing is refused, not passed over") {
        const auto why = [](const char* option, const char* resolver) {
            Arguments arguments;
            arguments.options = {{"yes", {""}}, {option, {"192.0.2.53"}}};
            if (resolver != nullptr) arguments.options["resolver"] = {resolver};
            return hold(Home(), "", arguments).why;
        };
        for (const char* option : {"adn", "upstream", "chain", "key"})
            for (const char* resolver : {"quad9", "dns.isp.test"})
                CHECK(why(option, resolver).find("needs --resolver router") != std::string::npos);
        for (const char* resolver : {"quad9", "router"})
            CHECK(why("address", resolver).find("not well known") != std::string::npos);
        CHECK(why("adn", nullptr) == "--adn needs --resolver router");
        CHECK(why("address", "dns.isp.test") == "");
    }

    TEST_CASE("what the configuration's parser refuses is refused, with its words") {
        Arguments arguments;
        arguments.options = {{"yes", {""}}, {"lan", {"eth0"}}};
        const Held held = hold(Home(), "", arguments);
        CHECK(!held.config);
        CHECK(held.why.find("new.json#/wan/0/interface: \"eth0\" stands in lan too") == 0);
    }

    TEST_CASE("after a failure nothing more is asked") {
        const Held held = hold(Home(), "9\n9\n9\n1\n1\n");
        CHECK(held.why == "no answer that could be taken");
        CHECK(held.left == 4);
        CHECK(hold(Home(), "1\ncpe1.example").why == "the input ended");
    }

    TEST_CASE("what was found is told with addresses, and what dnsmasq still needs") {
        Home home;
        std::string text = describe(home.found, home.proposal);
        CHECK(text.find("The home:     br-lan (192.168.1.1, fd00::1)\n") != text.npos);
        CHECK(text.find("takes /d/porchlight.conf\n") != text.npos);
        CHECK(text.find("restart it yourself") != text.npos);
        home.proposal.dnsmasq->fragment.clear();
        CHECK(describe(home.found, home.proposal).find("no conf-dir") != text.npos);
        home.proposal = {};
        text = describe(home.found, home.proposal);
        CHECK(text.find("not found") != text.npos);
        CHECK(text.find("none runs for the home") != text.npos);
    }

    TEST_CASE("carriers that nobody would work for are named with the reason") {
        Home home;
        const Held held = hold(home, "\n\n");
        REQUIRE(held.config);
        home.proposal.dnsmasq->ranges.pop_back();
        std::string text = preview_of(held, home);
        CHECK(text.substr(text.find("  by ")) ==
              "  by DHCPv4\n"
              "  not by DHCPv6: dnsmasq has no dhcp-range for IPv6 on br-lan\n"
              "  not by Router Advertisement: no RA daemon was found on br-lan; hosts are\n"
              "  told by RA once there is one, or set announce.ra to \"full\"\n");
        home.found.radvd = {{"/etc/radvd.conf", true, {"br-lan"}}};
        CHECK(preview_of(held, home).find("  by DHCPv4 and Router Advertisement\n") != text.npos);
        home.found.radvd.clear();
        home.proposal.dnsmasq->ranges.clear();
        text = preview_of(held, home);
        CHECK(text.find("  by nothing yet:\n") != text.npos);
        CHECK(text.find("  not by DHCPv4: ") != text.npos);
    }

    TEST_CASE("without dnsmasq DHCP is switched off, but for odhcpd's") {
        Home home;
        home.proposal.dnsmasq.reset();
        Held held = hold(home, "\n\n");
        REQUIRE_MESSAGE(held.config, held.why);
        CHECK(held.config->announce.dhcpv4 == DhcpCarrier::off);
        CHECK(held.config->announce.dhcpv6 == DhcpCarrier::off);
        home.found.odhcpd = true;
        held = hold(home, "\n\n");
        REQUIRE_MESSAGE(held.config, held.why);
        CHECK(held.config->announce.dhcpv4 == DhcpCarrier::off);
        CHECK(held.config->announce.dhcpv6 != DhcpCarrier::off);
    }

    TEST_CASE("who advertises, and what could not be read, is told") {
        Home home;
        CHECK(describe(home.found, home.proposal).find("RAs on:       br-lan by dnsmasq\n") !=
              std::string::npos);
        home.proposal.dnsmasq->ranges.clear();
        CHECK(describe(home.found, home.proposal).find("RAs on") == std::string::npos);
        home.proposal.dnsmasq->unread = {"conf-file=home.conf"};
        CHECK(describe(home.found, home.proposal).find("conf-file=home.conf was not read") !=
              std::string::npos);
    }
}

}  // namespace
}  // namespace porchlight::agent::setup
