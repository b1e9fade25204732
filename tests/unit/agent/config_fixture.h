#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "agent/config.h"

namespace porchlight::agent {

/// A configuration that is valid and gives all there is to give, to be spoilt by tests.
inline constexpr std::string_view full_config = R"({
  "mode": "forwarder",
  "lan": [{"interface": "br-lan", "uci_section": "home"},
          {"interface": "br-guest", "mode": "static",
           "resolvers": [{"adn": "guests.example.org", "addresses": "192.0.2.99", "dot": {}}]}],
  "wan": [{"interface": "eth0"}],
  "resolver": {"adn": "cpe1.example.net", "dot": {"port": 8853}, "application_dns": true},
  "announce": {"formats": ["draft-btw-11", "rfc9463"],
               "code_points": {"dhcpv4": 231, "dhcpv6_adn": 65101, "dhcpv6_addresses": 65102,
                               "dhcpv6_templates": 65103, "ra_adn": 254, "ra_addresses": 253},
               "dhcpv4": "dnsmasq", "dhcpv6": "off", "ra": "off", "ddr": false,
               "ra_interval": "30s",
               "resolvers": [{"adn": "dns.example.org", "addresses": ["192.0.2.53", "2001:db8::53"],
                              "dot": {"port": 8530}, "doq": {},
                              "doh": [{"port": 8443, "path": "/q{?dns}", "versions": ["h2", "h3"]}],
                              "priority": 7}],
               "router": {"lifetime": "1h", "preference": "high", "managed": true, "other": false,
                          "mtu": 1480, "rdnss": "fd00::53", "dnssl": ["home.example"]},
               "groups": [{"tag": "kids", "hosts": "02:00:5E:10:00:01",
                           "resolvers": [{"adn": "family.example.org"}]}]},
  "upstream": [{"protocol": "dot", "adn": "dns.isp.test",
                "addresses": ["192.0.2.53", "2001:db8::53"], "port": 8530, "profile": "strict",
                "validates": true}],
  "do53": {"addresses": ["127.0.0.1"], "port": 5300},
  "local": {"server": "127.0.0.1:5353", "domains": ["home.example", "lan"]},
  "dnsmasq": {"fragment": "/tmp/dnsmasq.d/porchlight.conf", "pid_file": "/tmp/dnsmasq.pid",
              "lease_file": "/tmp/dnsmasq.leases", "restart": ["/tmp/restart", "dnsmasq"],
              "resolv_file": "/tmp/resolv.conf", "on_exit": "refuse"},
  "odhcpd": {"uci": "/tmp/uci"},
  "guard": {"detect": false, "block": true, "validate_sources": true,
            "trusted_ports": ["lan3", "wlan0"], "trusted_macs": "02:00:5E:10:00:02"},
  "metrics": {"listen": ["[::1]", "192.168.77.1:9900"]},
  "certificate": {"acme": {
    "directory": ["https://ca.example/dir", "https://other.example:14000/dir"],
    "contact": ["mailto:admin@example.net"], "agree_to_terms": true, "roots": "/tmp/ca.pem",
    "challenge": {"dns-01": {
      "rfc2136": {"server": "192.0.2.1", "port": 5354, "zone": "example.net",
                  "tsig": {"name": "cpe1", "algorithm": "hmac-sha512",
                           "secret": {"file": "/tmp/tsig.key"}}},
      "propagation_wait": "100ms"}}}},
  "tls": {"roots": "/tmp/roots.pem"},
  "rebinding": {"block": false, "allow_domains": ["plex.direct", "home.example"],
                "allow_devices": [{"mac": "02:00:5E:10:00:01", "domains": "mine.example"},
                                  {"id": "My-TV"}],
                "nat64_prefixes": "2001:db8::/32"},
  "cache": {"size": "2MiB", "ttl_min": "1s", "ttl_max": "2h", "negative_ttl_max": "5min",
            "stale_max": "12h", "failure_ttl": "2s", "failure_ttl_max": "4s",
            "stale_client_timer": "900ms", "stale_recheck": "5s", "stale_ttl": "7s",
            "nxdomain_cut": true},
  "query_log": {"level": "full", "size": "32KiB", "kept_for": "1h"},
  "workers": 2,
  "limits": {"memory": "64MiB", "connections_max": 100, "output_max": "128KiB", "idle_max": "1500ms"},
  "log": {"level": "debug", "target": "syslog"},
  "users": {"agent": "61853", "forwarder": "dns"},
  "state_directory": "/tmp/state",
  "runtime_directory": "/tmp/run"
})";

inline ConfigResult parse(std::string_view json) {
    return parse_config("porchlight.json", bytes_of(json));
}

/// The text with its one `from` replaced.
inline std::string with(std::string_view text, std::string_view from, std::string_view to) {
    std::string changed(text);
    const std::size_t at = changed.find(from);
    REQUIRE(at != changed.npos);
    REQUIRE(changed.find(from, at + 1) == changed.npos);
    return changed.replace(at, from.size(), to);
}

/// All complaints, a line each, without the file's name.
inline std::string complaints(std::string_view json) {
    const ConfigResult result = parse(json);
    CHECK(result.config.has_value() == result.complaints.empty());
    std::string lines;
    for (const Complaint& complaint : result.complaints) {
        CHECK(complaint.file == "porchlight.json");
        lines += complaint.pointer + ": " + complaint.text + '\n';
    }
    return lines;
}

}  // namespace porchlight::agent
