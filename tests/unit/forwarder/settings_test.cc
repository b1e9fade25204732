#include "forwarder/settings.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "forwarder/listeners.h"
#include "forwarder/messages.h"

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

Settings full_settings() {
    Settings settings;
    settings.identity = TlsIdentity{{'c'}, {'k', 'k'}, {'s'}};
    settings.upstreams = {
        {name_of("dns.example"),
         {*parse_endpoint("192.0.2.53", 853), *parse_endpoint("[2001:db8::53]:8853", 853)}},
        {name_of("other.example"), {}},
        {name_of("named.example"), {}, "named.example"},
        {name_of("v4.example"), {}, *parse_address("192.0.2.1")},
        {name_of("v6.example"), {}, *parse_address("2001:db8::1")},
        {name_of("nobody.example"), {}, net::Unauthenticated{}}};
    settings.upstreams.front().validates = true;
    settings.roots_pem = {'r'};
    settings.network = "wan0 192.0.2.7";
    settings.dates_count = false;
    settings.companion = *parse_endpoint("127.0.0.1:53", 53);
    settings.local_domains = {name_of("lan"), name_of("2.0.192.in-addr.arpa")};
    settings.adn = name_of("cpe.example.net");
    settings.addresses = {*parse_address("192.0.2.1"), *parse_address("fd00::1")};
    dns::Svcb record{1, settings.adn, {}};
    record.params.alpn = {"dot"};
    record.params.port = 8853;
    settings.designations = {
        {"br-lan", {record, {2, name_of("other.example"), {}}}, settings.addresses}, {"", {}, {}}};
    settings.doh_paths = {"/dns-query", "/tv"};
    settings.doh_http1 = true;
    settings.rebinding = {
        false,
        {name_of("plex.direct")},
        {*net::parse_nat64_prefix("2001:db8:64::"), *net::parse_nat64_prefix("2001:db8::/32")},
        {{net::MacAddress{{2, 0, 0, 0, 0, 1}}, {name_of("mine.example")}}, {{}, {}, "tablet"}}};
    settings.cache_bytes_max = 1ull << 33;
    settings.ttl_min = 1s;
    settings.ttl_max = 7200s;
    settings.negative_ttl_max = 60s;
    settings.stale = {0s, 900ms, 5s, 7s};
    settings.nxdomain_cut = true;
    settings.query_log = {QueryLogSettings::Level::full, 1ull << 33, 60s};
    settings.failure_ttl = 2s;
    settings.failure_ttl_max = 4s;
    settings.application_dns = false;
    settings.limits.connections_max = 7;
    settings.limits.do53_queries_per_second = 11;
    settings.limits.do53_queries_burst = 12;
    settings.limits.handshake_cpu_share_percent = 9;
    settings.limits.handshake_cpu_burst = 10ms;
    settings.limits.query_max = 8ms;
    return settings;
}

template <class Message>
Buffer octets_of(const Message& message) {
    Writer out;
    write(out, message);
    return *out.take();
}

}  // namespace

TEST_SUITE("forwarder/settings") {
    TEST_CASE("settings survive a round trip, full and bare") {
        for (const Settings& settings : {full_settings(), Settings{}}) {
            const auto read = parse_settings(octets_of(settings));
            REQUIRE(read);
            CHECK(*read == settings);
        }
    }

    TEST_CASE("upstreams alone survive a round trip too") {
        const auto upstreams = full_settings().upstreams;
        Buffer octets = octets_of(upstreams);
        const auto read = parse_upstreams(octets);
        REQUIRE((read && !upstreams.empty()));
        CHECK(*read == upstreams);
        octets.push_back(0);
        CHECK(!parse_upstreams(octets));
    }

    TEST_CASE("every truncation and any octet more is refused") {
        Buffer octets = octets_of(full_settings());
        for (std::size_t size = 0; size < octets.size(); ++size)
            CHECK(!parse_settings(Bytes(octets).first(size)));
        octets.push_back(0);
        CHECK(!parse_settings(octets));
    }

    TEST_CASE("a NAT64 prefix of no legal length is refused") {
        Settings settings;
        settings.rebinding.nat64_prefixes = {*net::parse_nat64_prefix("2001:db8:64::")};
        Buffer octets = octets_of(settings);
        const Ipv6 prefix = settings.rebinding.nat64_prefixes.front().address;
        const auto at =
            std::search(octets.begin(), octets.end(), prefix.octets.begin(), prefix.octets.end());
        REQUIRE(at != octets.end());
        CHECK(parse_settings(octets));
        *(at + 16) = 97;
        CHECK(!parse_settings(octets));
    }

    TEST_CASE("a designation that is no SVCB is refused") {
        Settings settings;
        settings.designations = {{"br-lan", {{1, name_of("cpe.example.net"), {}}}, {}}};
        Buffer octets = octets_of(settings);
        const Buffer name = {3, 'n', 'e', 't', 0};
        const auto at = std::search(octets.begin(), octets.end(), name.begin(), name.end());
        REQUIRE(at != octets.end());
        *at = 64;  // no label is that long
        CHECK(!parse_settings(octets));
    }

    TEST_CASE("status survives a round trip") {
        Status status;
        status.serving = true;
        status.upstreams = {{name_of("dns.example"), *parse_endpoint("192.0.2.53", 853), true,
                             "timed out", 7, 8, 9}};
        status.counters = {{"cache_hits", 12}, {"dot_queries", 1ull << 40}};
        status.cache_entries = 5;
        status.cache_octets = 1ull << 33;
        status.dot_connections = 3;
        status.doh_connections = 2;
        status.connection_octets = 1ull << 34;
        status.connection_octets_max = 1ull << 35;
        status.handshakes_waiting = 6;
        status.clients_today = 4;
        status.bans = {{"0a1b2c3d", 60s}, {"ffffffff", 1s}};
        for (const std::optional<std::chrono::seconds> age :
             {std::optional<std::chrono::seconds>(), std::optional(5s)}) {
            status.since_last_dot_query = age;
            const auto read = parse_status(octets_of(status));
            REQUIRE(read);
            CHECK(*read == status);
        }
    }

    TEST_CASE("listeners survive a round trip; an unknown kind is refused") {
        const std::vector<ListenerInfo> listeners = {{ListenerKind::dot, 1, "br-lan"},
                                                     {ListenerKind::do53_udp, 0, ""},
                                                     {ListenerKind::doh, 0, "br-lan"}};
        Buffer octets = octets_of(listeners);
        const auto read = parse_listeners(octets);
        REQUIRE(read);
        CHECK(*read == listeners);
        octets[4] = 9;
        CHECK(!parse_listeners(octets));
    }
}

}  // namespace porchlight::forwarder
