#include "agent/metrics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "forwarder/counters.h"

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

const Clock::time_point now = Clock::time_point(10000s);

dns::EncryptedResolver resolver() {
    dns::EncryptedResolver one;
    one.priority = 1;
    one.adn = *dns::parse_name("dns.isp.example");
    one.addresses = {*parse_address("192.0.2.53")};
    one.params.alpn = {"dot"};
    return one;
}

std::vector<forwarder::Counter> some_counters() {
    forwarder::Counters counted;
    counted.dot_queries = 100;
    counted.do53_queries = 30;
    counted.do53_tcp_queries = 4;
    counted.do53_truncated = 7;
    counted.do53_dropped = 8;
    counted.dot_handshakes = 9;
    counted.dot_handshakes_resumed = 5;
    counted.dot_handshakes_failed = 1;
    counted.cache_hits = 80;
    counted.closed_idle = 7;
    counted.handshakes_waited = 8;
    std::vector<forwarder::Counter> counters;
    append(counters, counted);
    counters.push_back({"prefetches", 5});
    counters.push_back({"background_put_off", 6});
    counters.push_back({"upstream_timeouts", 2});
    counters.push_back({"upstream_unhelpful", 3});
    return counters;
}

Status filled_status() {
    Status status;
    status.uptime = 90s;
    status.wall_trusted = true;
    status.processes.agent_starts = 1;
    status.processes.forwarder_starts = 2;
    status.processes.dnsmasq_found = true;
    status.processes.troubles = {"cannot store the account: no space"};
    status.processes.reload_refused = true;
    status.forwarder = forwarder::Status();
    status.forwarder->serving = true;
    status.forwarder->cache_entries = 12;
    status.forwarder->cache_octets = 3456;
    status.forwarder->dot_connections = 3;
    status.forwarder->connection_octets = 61440;
    status.forwarder->connection_octets_max = 3 << 20;
    status.forwarder->handshakes_waiting = 5;
    status.forwarder->clients_today = 4;
    status.forwarder->bans = {{"0a1b2c3d", 60s}};
    const auto upstream = [](const char* adn, const char* at, bool up, std::uint32_t us) {
        return forwarder::UpstreamState{
            *dns::parse_name(adn), {*parse_address(at), 853}, up, "", 5, 1, us};
    };
    status.forwarder->upstreams = {upstream("dns.example", "192.0.2.53", false, 20000),
                                   upstream("dns.example", "2001:db8::53", true, 1500),
                                   upstream("other.example", "192.0.2.54", false, 0)};
    status.counters = some_counters();
    status.counters.push_back({"limit_connections_client", 6});
    status.counters.push_back({"limit_shed", 3});
    status.upstreams_origin = UpstreamOrigin::configuration;
    status.certificate.fit = true;
    status.certificate.not_after = *parse_wall_time("2026-11-21T00:00:00Z");
    status.certificate.next_attempt = *parse_wall_time("2026-11-20T00:00:00Z");
    status.certificate.orders_succeeded = 1;
    status.certificate.orders_failed = 2;
    status.certificate.staple.until = *parse_wall_time("2026-11-20T00:00:00Z");
    status.certificate.staple.fetched = 3;
    status.certificate.staple.failed = 4;
    CarrierStatus carrier;
    carrier.link = "br-lan";
    carrier.carrier = "ra";
    carrier.announced = true;
    status.carriers = {carrier};
    carrier.carrier = "dhcpv4";
    carrier.is_group = true;
    status.carriers.push_back(carrier);
    status.fitness = {{"br-lan", true, ""}, {"br-guest", false, "no address"}};
    status.guard.detects = true;
    status.guard.ports = {{"br-lan", "lan3", 7}};
    Rogue rogue;
    rogue.threat = Threat::resolver;
    status.guard.rogues = {rogue};
    status.guard.counters.frames = 20;
    status.guard.counters.messages = {{6, 0, 1, 0}};
    status.guard.counters.naming = {{4, 0, 1, 0}};
    status.guard.dropped = {{{0, 0, 9, 0}}, 5};
    status.guard.validates_sources = true;
    status.guard.leases = 6;
    Learned learned{"eth0", OfferSource::dhcpv4, "udhcpc bound", {}, {}, {}};
    learned.offers = {{"eth0", OfferSource::dhcpv4, resolver(), std::nullopt},
                      {"eth0", OfferSource::dhcpv4, resolver(), now - 1s}};
    learned.offers.push_back(learned.offers[0]);
    learned.offers.back().resolver.params.alpn.clear();
    status.offers.learned = {learned};
    status.offers.now = now;
    WanStatus wan;
    wan.interface = "eth0";
    wan.hears = true;
    wan.counters = {{"advertisements", 2}};
    status.wan = {wan};
    return status;
}

/// The lines that begin so.
std::string lines_of(const std::string& text, std::string_view beginning) {
    std::string found;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at) + 1;
        if (text.compare(at, beginning.size(), beginning) == 0) found += text.substr(at, end - at);
        at = end;
    }
    return found;
}

TEST_SUITE("agent/metrics") {
    TEST_CASE("all that is known, sample by sample") {
        std::string samples;
        const std::string text = metrics_text(filled_status());
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = text.find('\n', at) + 1;
            if (text[at] != '#') samples += text.substr(at, end - at);
            at = end;
        }
        CHECK(samples == R"(porchlight_build_info{version="0.1.0"} 1
porchlight_uptime_seconds 90.000000
porchlight_process_starts_total{process="agent"} 1
porchlight_process_starts_total{process="forwarder"} 2
porchlight_config_last_reload_successful 0
porchlight_clock_trusted 1
porchlight_troubles 1
porchlight_firewall_loaded 0
porchlight_dnsmasq_up 1
porchlight_dnsmasq_fed 1
porchlight_forwarder_up 1
porchlight_cache_entries 12
porchlight_cache_bytes 3456
porchlight_connections{transport="dot"} 3
porchlight_connections{transport="doh"} 0
porchlight_connection_bytes 61440
porchlight_connection_bytes_limit 3145728
porchlight_handshakes_waiting 5
porchlight_clients_last_day 4
porchlight_clients_blocked 1
porchlight_queries_total{transport="dot",proto="tcp"} 100
porchlight_queries_total{transport="doh",proto="tcp"} 0
porchlight_queries_total{transport="do53",proto="udp"} 26
porchlight_queries_total{transport="do53",proto="tcp"} 4
porchlight_tls_handshakes_total{result="full"} 4
porchlight_tls_handshakes_total{result="resumed"} 5
porchlight_tls_handshakes_total{result="failed"} 1
porchlight_queries_refused_total 0
porchlight_queries_malformed_total 0
porchlight_queries_foreign_total 0
porchlight_queries_truncated_total 7
porchlight_queries_dropped_total 8
porchlight_cache_hits_total 80
porchlight_cache_misses_total 0
porchlight_cache_prefetches_total 5
porchlight_background_put_off_total 6
porchlight_upstream_failures_total{reason="timeout"} 2
porchlight_upstream_failures_total{reason="unhelpful"} 3
porchlight_connections_total{transport="dot"} 0
porchlight_connections_total{transport="doh"} 0
porchlight_connections_refused_total{transport="dot"} 0
porchlight_connections_refused_total{transport="doh"} 0
porchlight_handshakes_waited_total 8
porchlight_handshakes_dropped_total 0
porchlight_connections_closed_total{reason="idle"} 7
porchlight_connections_closed_total{reason="slow"} 0
porchlight_connections_closed_total{reason="broken"} 0
porchlight_connections_closed_total{reason="unanswered"} 0
porchlight_doh_requests_refused_total 0
porchlight_doh_bodies_refused_total 0
porchlight_doh_resets_total 0
porchlight_doh_floods_total 0
porchlight_accepts_failed_total 0
porchlight_limit_reached_total{limit="connections_client"} 6
porchlight_limit_reached_total{limit="shed"} 3
porchlight_upstream_up{upstream="dns.example"} 1
porchlight_upstream_up{upstream="other.example"} 0
porchlight_upstream_round_trip_seconds{upstream="dns.example"} 0.001500
porchlight_certificate_fit 1
porchlight_certificate_not_after_timestamp_seconds 1795219200
porchlight_acme_next_attempt_timestamp_seconds 1795132800
porchlight_acme_attempts_total{result="success"} 1
porchlight_acme_attempts_total{result="failure"} 2
porchlight_staple_until_timestamp_seconds 1795132800
porchlight_staple_fetches_total{result="success"} 3
porchlight_staple_fetches_total{result="failure"} 4
porchlight_dnr_announced{channel="dhcpv4"} 0
porchlight_dnr_announced{channel="dhcpv6"} 0
porchlight_dnr_announced{channel="ra"} 1
porchlight_dnr_announced{channel="ddr"} 0
porchlight_gate_open{interface="br-lan",port="853"} 1
porchlight_gate_open{interface="br-guest",port="853"} 0
porchlight_guard_detecting 1
porchlight_guard_blocking 0
porchlight_guard_validating_sources 1
porchlight_guard_leases 6
porchlight_guard_ports 1
porchlight_guard_rogues{threat="resolver"} 1
porchlight_guard_rogues{threat="server"} 0
porchlight_guard_rogues{threat="beside"} 0
porchlight_guard_rogue_messages_total{kind="router_advertisement",names_a_resolver="false"} 2
porchlight_guard_rogue_messages_total{kind="router_advertisement",names_a_resolver="true"} 4
porchlight_guard_rogue_messages_total{kind="dhcpv6",names_a_resolver="false"} 0
porchlight_guard_rogue_messages_total{kind="dhcpv6",names_a_resolver="true"} 0
porchlight_guard_rogue_messages_total{kind="dhcpv4",names_a_resolver="false"} 0
porchlight_guard_rogue_messages_total{kind="dhcpv4",names_a_resolver="true"} 1
porchlight_guard_rogue_messages_total{kind="hidden",names_a_resolver="false"} 0
porchlight_guard_rogue_messages_total{kind="hidden",names_a_resolver="true"} 0
porchlight_guard_blocked_total{kind="router_advertisement"} 0
porchlight_guard_blocked_total{kind="dhcpv6"} 0
porchlight_guard_blocked_total{kind="dhcpv4"} 9
porchlight_guard_blocked_total{kind="hidden"} 0
porchlight_guard_forged_total 5
porchlight_guard_frames_total 20
porchlight_guard_malformed_frames_total 0
porchlight_guard_lines_left_out_total 0
porchlight_wan_offers{carrier="user",usable="true"} 0
porchlight_wan_offers{carrier="user",usable="false"} 0
porchlight_wan_offers{carrier="dhcpv4",usable="true"} 1
porchlight_wan_offers{carrier="dhcpv4",usable="false"} 1
porchlight_wan_offers{carrier="dhcpv6",usable="true"} 0
porchlight_wan_offers{carrier="dhcpv6",usable="false"} 0
porchlight_wan_offers{carrier="ra",usable="true"} 0
porchlight_wan_offers{carrier="ra",usable="false"} 0
porchlight_wan_listening{interface="eth0"} 1
porchlight_wan_router_events_total{interface="eth0",event="advertisements"} 2
)");
    }

    TEST_CASE("every name is ours, has its help and type once, and ends as its type wants") {
        const std::string text = metrics_text(filled_status());
        std::set<std::string> names;
        std::string described;
        for (std::size_t at = 0; at < text.size();) {
            const std::string line = text.substr(at, text.find('\n', at) - at);
            at += line.size() + 1;
            CAPTURE(line);
            if (line.starts_with("# HELP ")) {
                described = line.substr(7, line.find(' ', 7) - 7);
                CHECK(names.insert(described).second);
                CHECK(described.starts_with("porchlight_"));
                CHECK(line.ends_with("."));
            } else if (line.starts_with("# TYPE ")) {
                const bool counter = described.ends_with("_total");
                CHECK(line == "# TYPE " + described + (counter ? " counter" : " gauge"));
            } else {
                CHECK(line.substr(0, line.find_first_of(" {")) == described);
            }
        }
        CHECK(names.size() > 40);
    }

    TEST_CASE("every counter of the forwarder has a name of its own here") {
        const std::string text = metrics_text(filled_status());
        CHECK(lines_of(text, "porchlight_forwarder_events_total").empty());
        Status status = filled_status();
        status.counters.push_back({"new_one", 6});
        CHECK(lines_of(metrics_text(status), "porchlight_forwarder_events_total") ==
              "porchlight_forwarder_events_total{event=\"new_one\"} 6\n");
    }

    TEST_CASE("a forwarder that is silent is down, and what was counted stays counted") {
        Status status = filled_status();
        status.forwarder.reset();
        const std::string text = metrics_text(status);
        CHECK(lines_of(text, "porchlight_forwarder_up") == "porchlight_forwarder_up 0\n");
        CHECK(lines_of(text, "porchlight_cache_hits_total") == "porchlight_cache_hits_total 80\n");
        CHECK(lines_of(text, "porchlight_cache_entries").empty());
        CHECK(lines_of(text, "porchlight_upstream_up").empty());
        status.counters.clear();
        CHECK(lines_of(metrics_text(status), "porchlight_queries_total").empty());
    }

    TEST_CASE("who names itself is no label: a WAN's upstreams are one") {
        Status status = filled_status();
        status.upstreams_origin = UpstreamOrigin::offer;
        const std::string text = metrics_text(status);
        CHECK(lines_of(text, "porchlight_upstream_up") ==
              "porchlight_upstream_up{upstream=\"learned\"} 1\n");
        CHECK(lines_of(text, "porchlight_upstream_round_trip") ==
              "porchlight_upstream_round_trip_seconds{upstream=\"learned\"} 0.001500\n");
        CHECK(text.find(".example") == std::string::npos);
    }

    TEST_CASE("a flood of rogues adds no series") {
        Status status = filled_status();
        const auto lines = [](const Status& of) {
            const std::string text = metrics_text(of);
            return std::count(text.begin(), text.end(), '\n');
        };
        const auto before = lines(status);
        for (unsigned i = 0; i < 300; ++i) {
            Rogue rogue = status.guard.rogues.front();
            rogue.mac.octets[5] = static_cast<std::uint8_t>(i);
            status.guard.rogues.push_back(rogue);
        }
        CHECK(lines(status) == before);
        CHECK(lines_of(metrics_text(status), "porchlight_guard_rogues{threat=\"resolver\"}") ==
              "porchlight_guard_rogues{threat=\"resolver\"} 301\n");
    }

    TEST_CASE("what is not there is left out, not said to be zero") {
        const std::string text = metrics_text(Status());
        CHECK(lines_of(text, "porchlight_certificate_not_after_timestamp_seconds").empty());
        CHECK(lines_of(text, "porchlight_acme_next_attempt_timestamp_seconds").empty());
        CHECK(lines_of(text, "porchlight_gate_open").empty());
        CHECK(lines_of(text, "porchlight_config_last_reload_successful") ==
              "porchlight_config_last_reload_successful 1\n");
    }
}

}  // namespace
}  // namespace porchlight::agent
