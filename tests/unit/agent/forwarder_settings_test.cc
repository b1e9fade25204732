#include "agent/forwarder_settings.h"

#include "agent/config_table.h"
#include "agent/config_type.h"
#include "config_fixture.h"

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;
using config::Setting;
using config::Type;
using forwarder::RebindingRules;
using forwarder::Settings;

Settings settings_of(const Config& config, const std::vector<net::Link>& links = {}) {
    return forwarder_settings(config, {}, {}, {}, links, {}, true);
}

/// What the forwarder is told of a configuration that says this and nothing else.
forwarder::Settings told_by(const std::string& json) {
    const ConfigResult parsed = parse(json);
    for (const Complaint& complaint : parsed.complaints) FAIL(to_text(complaint));
    return forwarder_settings(*parsed.config, {}, {}, {}, {}, {}, true);
}

/// One end of its bounds, or `step` more where it has none.
std::int64_t beside(const Setting& setting, std::int64_t fallback, std::int64_t step) {
    if (setting.min == 0 && setting.max == 0) return fallback + step;
    return fallback != setting.max ? setting.max : setting.min;
}

/// The default of a text, without its quotes.
std::string_view word(const Setting& setting) {
    if (setting.fallback.empty()) return {};
    return setting.fallback.substr(1, setting.fallback.size() - 2);
}

/// JSON of a value that the setting accepts and that is not its default.
std::string another_value(const Setting& setting) {
    switch (setting.type) {
        case Type::boolean:
            return setting.fallback == "true" ? "false" : "true";
        case Type::integer:
            return std::to_string(beside(setting, std::stoll(std::string(setting.fallback)), 1));
        case Type::duration:
        case Type::seconds: {
            const auto fallback = parse_duration(word(setting))->count();
            return '"' + std::to_string(beside(setting, fallback, 1000)) + "ms\"";
        }
        case Type::size: {
            const auto fallback =
                static_cast<std::int64_t>(config::parse_size(word(setting)).value_or(0));
            return '"' + std::to_string(beside(setting, fallback, 1024)) + "B\"";
        }
        case Type::choice:
            for (const std::string_view other : words_of(setting))
                if (other != word(setting)) return '"' + std::string(other) + '"';
            break;
        default:
            break;
    }
    FAIL("no other value is known for " << std::string(setting.path));
    return {};
}

TEST_SUITE("agent/forwarder_settings") {
    TEST_CASE("every limit of the table reaches the forwarder, each as one of its own") {
        const forwarder::Settings usual = told_by("{}");
        std::vector<forwarder::Settings> told;
        for (const std::string section : {"limits", "cache", "query_log"}) {
            std::size_t rows = 0;
            for (const Setting* setting : config::members_of('/' + section)) {
                CAPTURE(setting->path);
                const std::string value = another_value(*setting);
                CAPTURE(value);
                told.push_back(told_by("{\"" + section + "\": {\"" +
                                       std::string(name_of(*setting)) + "\": " + value + "}}"));
                CHECK(told.back() != usual);
                ++rows;
            }
            CHECK(rows > 0);
        }
        for (std::size_t i = 0; i < told.size(); ++i)
            CHECK(std::count(told.begin(), told.end(), told[i]) == 1);
    }

    TEST_CASE("each number of the cache is told as what it is") {
        Config config;
        config.cache.size_bytes_max = 1;
        config.cache.ttl_min = 2s;
        config.cache.ttl_max = 3s;
        config.cache.negative_ttl_max = 4s;
        config.cache.failure_ttl = 5s;
        config.cache.failure_ttl_max = 6s;
        config.cache.stale_max = 7s;
        config.cache.stale_client_timer = 8ms;
        config.cache.stale_recheck = 9s;
        config.cache.stale_ttl = 10s;
        const Settings told = settings_of(config);
        CHECK(told.cache_bytes_max == 1);
        CHECK(told.ttl_min == 2s);
        CHECK(told.ttl_max == 3s);
        CHECK(told.negative_ttl_max == 4s);
        CHECK(told.failure_ttl == 5s);
        CHECK(told.failure_ttl_max == 6s);
        CHECK(told.stale.max == 7s);
        CHECK(told.stale.client_timer == 8ms);
        CHECK(told.stale.recheck == 9s);
        CHECK(told.stale.ttl == 10s);
    }

    TEST_CASE("what is switched on is on, and nothing else") {
        Config config;
        config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
        for (const bool on : {false, true}) {
            config.cache.nxdomain_cut = on;
            config.resolver->application_dns = !on;
            config.rebinding.block = on;
            const Settings told = settings_of(config);
            CHECK(told.nxdomain_cut == on);
            CHECK(told.application_dns == !on);
            CHECK(told.rebinding.block == on);
        }
    }

    TEST_CASE("exceptions from rebinding are told, and that the router's own name is one") {
        Config config;
        config.rebinding.allow_domains = {*dns::parse_name("plex.direct")};
        config.rebinding.nat64_prefixes = {*net::parse_nat64_prefix("2001:db8:64::")};
        config.rebinding.allow_devices = {
            {*net::parse_mac_address("02:00:5e:10:00:01"), {*dns::parse_name("example.net")}}};
        CHECK(settings_of(config).rebinding == config.rebinding);
        config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
        RebindingRules expected = config.rebinding;
        expected.allow_domains.push_back(*dns::parse_name("cpe1.example.net"));
        CHECK(settings_of(config).rebinding == expected);
    }

    TEST_CASE("the query log and the limits are told as they are") {
        Config config;
        config.query_log = {forwarder::QueryLogSettings::Level::names, 11, 12s};
        config.limits.queries_per_client_second = 13;
        config.limits.memory_bytes_max = 14;
        const Settings told = settings_of(config);
        CHECK(told.query_log == config.query_log);
        CHECK(told.limits == config.limits);
    }

    TEST_CASE("who is asked, by what, and from where") {
        Config config;
        config.local.server = *parse_endpoint("127.0.0.1", 54);
        config.local.domains = {*dns::parse_name("lan")};
        World world;
        world.roots_pem = {1, 2, 3};
        const std::vector<forwarder::UpstreamSettings> upstreams{
            {*dns::parse_name("dns.example"), {*parse_endpoint("192.0.2.1", 853)}}};
        const forwarder::TlsIdentity identity{{4}, {5}, {6}};
        const Settings told = forwarder_settings(config, world, upstreams, {}, {}, identity, false);
        CHECK(told.companion == config.local.server);
        CHECK(told.local_domains == config.local.domains);
        CHECK(told.roots_pem == world.roots_pem);
        CHECK(told.upstreams == upstreams);
        CHECK(told.identity == identity);
        CHECK(!told.dates_count);
        CHECK(told.adn.is_root());
    }

    TEST_CASE("the router's name has the addresses of its LAN links, but for link-local ones") {
        Config config;
        config.lan = {{"br-lan"}};
        config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
        std::vector<net::Link> links(2);
        links[0].name = "br-lan";
        links[1].name = "eth0";
        for (const char* address : {"192.168.1.1", "fd01::1", "fe80::1"})
            links[0].addresses.push_back({*parse_address(address), 64});
        links[1].addresses.push_back({*parse_address("192.0.2.77"), 24});
        for (net::Link& link : links) link.up = link.carrier = true;
        const Settings told = settings_of(config, links);
        CHECK(told.adn == config.resolver->adn);
        CHECK(told.addresses ==
              std::vector<IpAddress>{*parse_address("192.168.1.1"), *parse_address("fd01::1")});
    }

    TEST_CASE(
        "DNS over HTTPS has the paths of all its entries, and one's HTTP/1.1 is everybody's") {
        Config config;
        config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
        CHECK(settings_of(config).doh_paths.empty());
        config.resolver->doh.resize(2);
        config.resolver->doh[0].path = "/dns-query{?dns}";
        config.resolver->doh[1].path = "/tv{?dns}";
        for (DohConfig& doh : config.resolver->doh) doh.versions.resize(1);
        CHECK(settings_of(config).doh_paths == std::vector<std::string>{"/dns-query", "/tv"});
        CHECK(!settings_of(config).doh_http1);
        config.resolver->doh[1].versions.resize(2);
        CHECK(settings_of(config).doh_http1);
    }
}

}  // namespace
}  // namespace porchlight::agent
