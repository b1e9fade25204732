#include "agent/config.h"

#include "config_fixture.h"

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

dns::Name name(std::string_view text) {
    return *dns::parse_name(text);
}

TEST_SUITE("agent/config") {
    TEST_CASE("an empty object is a configuration, of defaults") {
        const auto result = parse("{}");
        REQUIRE(result.config);
        const Config& config = *result.config;
        CHECK(config.mode == Mode::automatic);
        CHECK(config.lan.empty());
        CHECK(!config.resolver);
        CHECK(config.announce == AnnounceConfig());
        CHECK(config.upstream.empty());
        CHECK(config.do53.addresses ==
              std::vector<IpAddress>{*parse_address("127.0.0.1"), *parse_address("::1")});
        CHECK(config.do53.port == 5453);
        CHECK(config.local.server == parse_endpoint("127.0.0.1:53", 0));
        CHECK(config.local.domains == std::vector{name("lan")});
        CHECK(config.dnsmasq.fragment == "/etc/dnsmasq.d/porchlight.conf");
        CHECK(config.dnsmasq.restart.empty());
        CHECK(config.dnsmasq.on_exit == OnExit::former);
        CHECK(config.metrics.listen.empty());
        CHECK(config.certificate == CertificateConfig());
        CHECK(config.rebinding == forwarder::RebindingRules());
        CHECK(config.cache == CacheConfig());
        CHECK(config.query_log == forwarder::QueryLogSettings());
        forwarder::Limits limits;
        limits.memory_bytes_max = 0;  // the machine's
        CHECK(config.limits == limits);
        CHECK(config.log == LogConfig());
        CHECK(config.users == UsersConfig{"porchlight", "porchlight-dns"});
        CHECK(config.state_directory == "/var/lib/porchlight");
        CHECK(config.runtime_directory == "/run/porchlight");
    }

    TEST_CASE("every setting arrives") {
        const auto result = parse(full_config);
        CHECK(complaints(full_config) == "");
        REQUIRE(result.config);
        const Config& config = *result.config;
        CHECK(config.mode == Mode::forwarder);
        AnnouncedResolver of_guests;
        of_guests.adn = name("guests.example.org");
        of_guests.addresses = {*parse_address("192.0.2.99")};
        of_guests.dot = 853;
        CHECK(config.lan ==
              std::vector<LanConfig>{{"br-lan", Mode::automatic, {}, "home"},
                                     {"br-guest", Mode::static_, {of_guests}, "guest"}});
        CHECK(config.wan == std::vector<WanConfig>{{"eth0"}});
        CHECK(config.resolver == ResolverConfig{name("cpe1.example.net"), {8853}, {}, true});
        CHECK(config.announce.dhcpv4 == DhcpCarrier::dnsmasq);
        CHECK(config.announce.dhcpv6 == DhcpCarrier::off);
        CHECK(config.announce.ra == RaCarrier::off);
        CHECK(!config.announce.ddr);
        CHECK(config.announce.ra_interval == 30s);
        CHECK(config.announce.forms.formats ==
              std::vector{dns::Format::draft_btw_11, dns::Format::rfc9463});
        CHECK(config.announce.forms.code_points ==
              dns::DraftCodePoints{254, 253, 231, 65101, 65102, 65103});
        AnnouncedResolver announced;
        announced.priority = 7;
        announced.adn = name("dns.example.org");
        announced.addresses = {*parse_address("192.0.2.53"), *parse_address("2001:db8::53")};
        announced.dot = 8530;
        announced.doq = 853;
        announced.doh = {{8443, "/q{?dns}", {"h2", "h3"}}};
        CHECK(config.announce.resolvers == std::vector{announced});
        RouterConfig router;
        router.lifetime = 1h;
        router.preference = ra::FullSettings::Preference::high;
        router.managed = true;
        router.other = false;
        router.mtu_octets = 1480;
        router.rdnss = {*parse_ipv6("fd00::53")};
        router.dnssl = {name("home.example")};
        CHECK(config.announce.router == router);
        REQUIRE(config.announce.groups.size() == 1);
        CHECK(config.announce.groups[0].tag == "kids");
        CHECK(config.announce.groups[0].hosts == std::vector<std::string>{"02:00:5e:10:00:01"});
        CHECK(config.announce.groups[0].resolvers[0].adn == name("family.example.org"));
        CHECK(config.upstream ==
              std::vector{forwarder::UpstreamSettings{
                  name("dns.isp.test"),
                  {{*parse_address("192.0.2.53"), 8530}, {*parse_address("2001:db8::53"), 8530}},
                  std::nullopt,
                  true}});
        CHECK(config.do53 == Do53Config{{*parse_address("127.0.0.1")}, 5300});
        CHECK(config.local == LocalConfig{parse_endpoint("127.0.0.1:5353", 0),
                                          {name("home.example"), name("lan")}});
        CHECK(config.dnsmasq == DnsmasqConfig{"/tmp/dnsmasq.d/porchlight.conf",
                                              "/tmp/dnsmasq.pid",
                                              "/tmp/dnsmasq.leases",
                                              {"/tmp/restart", "dnsmasq"},
                                              "/tmp/resolv.conf",
                                              OnExit::refuse});
        CHECK(config.odhcpd == OdhcpdConfig{"/tmp/uci"});
        CHECK(config.guard == GuardConfig{false,
                                          true,
                                          true,
                                          {"lan3", "wlan0"},
                                          {*net::parse_mac_address("02:00:5e:10:00:02")}});
        CHECK(config.metrics == MetricsConfig{{*parse_endpoint("[::1]:9853", 0),
                                               *parse_endpoint("192.168.77.1:9900", 0)}});
        REQUIRE(config.certificate.acme);
        const AcmeConfig& acme = *config.certificate.acme;
        CHECK(acme.directories == std::vector<std::string>{"https://ca.example/dir",
                                                           "https://other.example:14000/dir"});
        CHECK(acme.contacts == std::vector<std::string>{"mailto:admin@example.net"});
        CHECK(acme.agree_to_terms);
        CHECK(acme.roots == "/tmp/ca.pem");
        CHECK(acme.update.server == Endpoint{*parse_address("192.0.2.1"), 5354});
        CHECK(acme.update.zone == name("example.net"));
        CHECK(acme.update.tsig == TsigConfig{name("cpe1"), "hmac-sha512", {"/tmp/tsig.key"}});
        CHECK(acme.update.propagation_wait == 100ms);
        CHECK(config.tls.roots == "/tmp/roots.pem");
        CHECK(config.rebinding ==
              forwarder::RebindingRules{
                  false,
                  {*dns::parse_name("plex.direct"), *dns::parse_name("home.example")},
                  {*net::parse_nat64_prefix("2001:db8::/32")},
                  {{net::MacAddress{{2, 0, 0x5e, 0x10, 0, 1}}, {*dns::parse_name("mine.example")}},
                   {{}, {}, "my-tv"}}});
        CHECK(config.cache ==
              CacheConfig{2 << 20, 300s, 43200s, 1s, 7200s, 2s, 4s, 900ms, 5s, 7s, true});
        CHECK(config.query_log ==
              forwarder::QueryLogSettings{forwarder::QueryLogSettings::Level::full, 32768, 3600s});
        CHECK(config.workers == 2);
        forwarder::Limits limits;
        limits.memory_bytes_max = 64 << 20;
        limits.connections_max = 100;
        limits.output_bytes_max = 131072;
        limits.idle_max = 1500ms;
        CHECK(config.limits == limits);
        CHECK(config.log == LogConfig{log::Level::debug, log::Target::syslog});
        CHECK(config.users == UsersConfig{"61853", "dns"});
        CHECK(config.state_directory == "/tmp/state");
        CHECK(config.runtime_directory == "/tmp/run");
    }

    TEST_CASE("a list may be given as its only element where the table says so") {
        const std::string text =
            with(full_config, R"(["https://ca.example/dir", "https://other.example:14000/dir"])",
                 R"("https://ca.example/dir")");
        const auto result = parse(text);
        REQUIRE(result.config);
        CHECK(result.config->certificate.acme->directories ==
              std::vector<std::string>{"https://ca.example/dir"});
        CHECK(complaints(R"({"lan": {"interface": "br-lan"}})") ==
              "/lan: expected a list of 0 to 64 elements, found an object\n");
    }

    TEST_CASE("the CA's roots are those of all TLS where nothing else is said") {
        const auto result = parse(with(full_config, R"(, "roots": "/tmp/ca.pem")", ""));
        REQUIRE(result.config);
        CHECK(result.config->certificate.acme->roots == "/tmp/roots.pem");
        const auto defaults = parse(with(with(full_config, R"(, "roots": "/tmp/ca.pem")", ""),
                                         R"("tls": {"roots": "/tmp/roots.pem"},)", ""));
        REQUIRE(defaults.config);
        CHECK(defaults.config->certificate.acme->roots == "/etc/ssl/certs/ca-certificates.crt");
    }

    TEST_CASE("the home's names may have no server, and the server no port") {
        CHECK(!parse(R"({"local": {"server": "off"}})").config->local.server);
        CHECK(parse(R"({"local": {"server": "::1"}})").config->local.server ==
              parse_endpoint("[::1]:53", 0));
    }

    TEST_CASE("a complaint is a line, with file and place, and no control character") {
        CHECK(to_text(Complaint{"a.json", "/lan/0", "wrong"}) == "a.json#/lan/0: wrong");
        CHECK(to_text(Complaint{"a.json", "", "wrong"}) == "a.json: wrong");
        CHECK(to_text(Complaint{"a.json", "/a\x1b[2J", "\n\xc3\xa4"}) ==
              "a.json#/a\\x1b[2J: \\x0a\\xc3\\xa4");
    }

    TEST_CASE("a file that can't be read is a complaint") {
        MemoryStorage storage;
        const auto result = load_config("/porchlight.json", storage);
        CHECK(!result.config);
        REQUIRE(result.complaints.size() == 1);
        CHECK(to_text(result.complaints[0]) == "/porchlight.json: no file /porchlight.json");
    }

    TEST_CASE("secrets are read apart, without the line break behind them") {
        MemoryStorage storage;
        const Config config = *parse(full_config).config;
        const auto missing = read_secrets(config, storage);
        REQUIRE(!missing);
        CHECK(missing.error().message ==
              std::string(tsig_secret_pointer) + ": no file /tmp/tsig.key");
        const auto octets = bytes_of("c2VjcmV0\n");
        storage.files["/tmp/tsig.key"] = {octets.begin(), octets.end()};
        const auto secrets = read_secrets(config, storage);
        REQUIRE(secrets);
        REQUIRE(secrets->size() == 1);
        CHECK((*secrets)[0].first == tsig_secret_pointer);
        CHECK(text_of((*secrets)[0].second) == "c2VjcmV0");
        storage.files["/tmp/tsig.key"] = {'\n'};
        CHECK(!read_secrets(config, storage));
        CHECK(read_secrets(*parse("{}").config, storage)->empty());
    }
}

}  // namespace
}  // namespace porchlight::agent
