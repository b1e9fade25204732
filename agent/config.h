#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/result.h"
#include "core/storage.h"
#include "dns/format.h"
#include "dns/name.h"
#include "forwarder/settings.h"
#include "net/frame.h"
#include "ra/full.h"

namespace porchlight::agent {

inline constexpr std::string_view default_config_file = "/etc/porchlight/porchlight.json";

/// What hosts are told of. `automatic` is resolved by agent/plan.h.
enum class Mode { automatic, relay, forwarder, static_, off };

/// DNS over HTTPS at one path.
struct DohConfig {
    std::uint16_t port = 443;
    std::string path;                         // a URI template with the variable dns
    std::vector<std::string> versions{"h2"};  // ALPN ids of HTTP, never empty; "h2" among ours
    bool operator==(const DohConfig&) const = default;
};

/// A resolver outside this home as the user names it. Hosts learn it as one entry or several, see
/// agent/entries.h.
struct AnnouncedResolver {
    dns::Name adn;                          // a host's name
    std::vector<IpAddress> addresses;       // each announceable
    std::optional<std::uint16_t> priority;  // of its first entry; none: behind the former one's
    std::optional<std::uint16_t> dot;       // ports, where it speaks the protocol
    std::optional<std::uint16_t> doq;
    std::vector<DohConfig> doh;
    bool operator==(const AnnouncedResolver&) const = default;
};

/// A network interface that the home is behind.
struct LanConfig {
    std::string interface;
    Mode mode = Mode::automatic;                    // automatic: as the rest of the home
    std::vector<AnnouncedResolver> resolvers = {};  // its own; empty: those of the whole home
    std::string uci_section = {};                   // of OpenWrt's package dhcp; that of `odhcpd`
    bool operator==(const LanConfig&) const = default;
};

/// A network interface that the Internet is behind.
struct WanConfig {
    std::string interface;
    bool operator==(const WanConfig&) const = default;
};

/// Hosts that hear of other resolvers than the rest, by DHCP.
struct GroupConfig {
    std::string tag;                 // as dnsmasq knows the hosts
    std::vector<std::string> hosts;  // hardware addresses, lower-case; in no other group
    std::vector<AnnouncedResolver> resolvers;
    bool operator==(const GroupConfig&) const = default;
};

/// The router's own resolver, as hosts see it.
struct ResolverConfig {
    struct Dot {
        std::uint16_t port = 853;
        bool operator==(const Dot&) const = default;
    };
    dns::Name adn;  // a host's name
    Dot dot;
    std::vector<DohConfig> doh = {};
    bool application_dns = false;  // browsers may choose another one by themselves
    bool operator==(const ResolverConfig&) const = default;
};

/// The TCP ports of a resolver's encrypted protocols, each once: that of DNS over TLS first.
std::vector<std::uint16_t> ports(const ResolverConfig& resolver);

/// Who carries DHCP options to hosts. DHCPv4 is never odhcpd's: its option is malformed.
/// `automatic` is resolved by agent/carriers.h; nothing behind that knows it.
enum class DhcpCarrier { automatic, off, dnsmasq, odhcpd };
/// How RAs come to hosts: beside those of the daemon that is there, as that daemon, in those of
/// odhcpd, or not at all. `automatic` as above.
enum class RaCarrier { automatic, off, supplement, full, odhcpd };

/// Whether we send Router Advertisements ourselves.
inline bool advertises(RaCarrier carrier) {
    return carrier == RaCarrier::supplement || carrier == RaCarrier::full;
}

/// How long hosts keep what an RA told them: three lost ones do no harm (RFC 8106 section 5.1).
inline constexpr int lifetime_in_intervals = 3;

/// What Router Advertisements of the full form say of this router.
struct RouterConfig {
    std::chrono::seconds lifetime{1800};  // 0, or ra_interval at least
    ra::FullSettings::Preference preference = ra::FullSettings::Preference::medium;
    bool managed = false;
    bool other = true;
    std::uint32_t mtu_octets = 0;  // 0: the link's own
    std::vector<Ipv6> rdnss;       // empty: the router's own address
    std::vector<dns::Name> dnssl;
    bool operator==(const RouterConfig&) const = default;
};

/// Which encrypted transport a host should try first that is told of each by itself.
enum class Transport { dot, doh };

struct AnnounceConfig {
    dns::Forms forms;  // at least one, no two alike
    DhcpCarrier dhcpv4 = DhcpCarrier::automatic;
    DhcpCarrier dhcpv6 = DhcpCarrier::automatic;
    RaCarrier ra = RaCarrier::automatic;
    bool ddr = true;  // DNS itself says so too (RFC 9462)
    Transport ddr_prefers = Transport::dot;
    std::chrono::seconds ra_interval{600};  // MaxRtrAdvInterval, RFC 4861 section 6.2.1
    RouterConfig router;
    std::vector<AnnouncedResolver> resolvers;
    std::vector<GroupConfig> groups;  // no two with one tag
    bool operator==(const AnnounceConfig&) const = default;
};

/// Plain DNS for the companion; loopback addresses only.
struct Do53Config {
    std::vector<IpAddress> addresses;
    std::uint16_t port = 5453;
    bool operator==(const Do53Config&) const = default;
};

/// Who knows the home's own names.
struct LocalConfig {
    std::optional<Endpoint> server;  // none: nobody does
    std::vector<dns::Name> domains;
    bool operator==(const LocalConfig&) const = default;
};

/// What the home's old hosts get from dnsmasq once porchlight is gone.
enum class OnExit { former, refuse };

struct DnsmasqConfig {
    std::string fragment;              // written by us into dnsmasq's conf-dir
    std::string pid_file;              // written by dnsmasq
    std::string lease_file;            // likewise
    std::vector<std::string> restart;  // a program and its arguments; empty: none
    std::string resolv_file;           // whose nameservers are the former servers
    OnExit on_exit = OnExit::former;
    bool operator==(const DnsmasqConfig&) const = default;
};

struct OdhcpdConfig {
    std::string uci;  // the program that changes what odhcpd reads
    bool operator==(const OdhcpdConfig&) const = default;
};

/// Whose Router Advertisements and DHCP answers are a stranger's on the home's links, and what is
/// done about them.
struct GuardConfig {
    bool detect = true;
    bool block = false;
    bool validate_sources = false;
    std::vector<std::string> trusted_ports;
    std::vector<net::MacAddress> trusted_macs;
    bool operator==(const GuardConfig&) const = default;
};

/// Where metrics are served by HTTP, beside `porchlight metrics`; nowhere where it is empty.
struct MetricsConfig {
    std::vector<Endpoint> listen;  // of this machine, with ports that need no privilege
    bool operator==(const MetricsConfig&) const = default;
};

/// A secret never stands in the configuration; the file with it does.
struct SecretFile {
    std::string path;
    bool operator==(const SecretFile&) const = default;
};

struct CertificateFiles {
    std::string chain;  // PEM, leaf first
    std::string key;    // PEM
    bool operator==(const CertificateFiles&) const = default;
};

struct TsigConfig {
    dns::Name name;
    std::string algorithm;  // "hmac-sha256", "hmac-sha384" or "hmac-sha512"
    SecretFile secret;      // base64, as BIND and Knot print it
    bool operator==(const TsigConfig&) const = default;
};

/// dns-01 records by dynamic update (RFC 2136).
struct DnsUpdateConfig {
    Endpoint server;
    dns::Name zone;
    TsigConfig tsig;
    std::chrono::milliseconds propagation_wait{2000};
    bool operator==(const DnsUpdateConfig&) const = default;
};

struct AcmeConfig {
    std::vector<std::string> directories;  // https URLs in the order of trying; never empty
    std::vector<std::string> contacts;     // "mailto:..."
    bool agree_to_terms = false;
    std::string roots;  // PEM file: tls.roots where not given
    DnsUpdateConfig update;
    bool operator==(const AcmeConfig&) const = default;
};

/// Where the certificate comes from: one of both, or neither where none is needed.
struct CertificateConfig {
    std::optional<CertificateFiles> files;
    std::optional<AcmeConfig> acme;
    bool operator==(const CertificateConfig&) const = default;
};

struct TlsConfig {
    std::string roots;  // PEM file
    bool operator==(const TlsConfig&) const = default;
};

struct CacheConfig {
    std::uint64_t size_bytes_max = 0;  // 0: by the memory that there is
    std::chrono::seconds negative_ttl_max{900};
    std::chrono::seconds stale_max{86400};
    std::chrono::seconds ttl_min{0};
    std::chrono::seconds ttl_max{86400};
    std::chrono::seconds failure_ttl{5};
    std::chrono::seconds failure_ttl_max{300};
    std::chrono::milliseconds stale_client_timer{1800};
    std::chrono::seconds stale_recheck{30};
    std::chrono::seconds stale_ttl{30};
    bool nxdomain_cut = false;
    bool operator==(const CacheConfig&) const = default;
};

struct LogConfig {
    log::Level level = log::Level::info;
    log::Target target = log::Target::standard_error;
    bool operator==(const LogConfig&) const = default;
};

/// Names, or numbers as text.
struct UsersConfig {
    std::string agent;
    std::string forwarder;
    bool operator==(const UsersConfig&) const = default;
};

/// The whole configuration. One that exists came from parse_config and is valid: every part has
/// what its use needs, in range, and fits the others. docs/configuration.md says what each key
/// means. Paths are absolute.
struct Config {
    Mode mode = Mode::automatic;
    std::vector<LanConfig> lan;  // no interface twice
    std::vector<WanConfig> wan;  // none of them in `lan`
    std::optional<ResolverConfig> resolver;
    AnnounceConfig announce;
    std::vector<forwarder::UpstreamSettings> upstream;
    Do53Config do53;
    LocalConfig local;
    DnsmasqConfig dnsmasq;
    OdhcpdConfig odhcpd;
    GuardConfig guard;
    MetricsConfig metrics;
    CertificateConfig certificate;
    TlsConfig tls;
    forwarder::RebindingRules rebinding;
    CacheConfig cache;
    forwarder::QueryLogSettings query_log;
    unsigned workers = 1;
    forwarder::Limits limits;
    LogConfig log;
    UsersConfig users;
    std::string state_directory;
    std::string runtime_directory;
    bool operator==(const Config&) const = default;
};

/// One thing that is wrong, at its place (RFC 6901; empty: the whole file).
struct Complaint {
    std::string file;
    std::string pointer;
    std::string text;
    bool operator==(const Complaint&) const = default;
};

/// "porchlight.json#/resolver/dot/port: expected an integer from 1 to 65535, found \"853\""
std::string to_text(const Complaint& complaint);
using porchlight::to_text;  // which the one above would hide

/// Either a configuration, or at least one complaint.
struct ConfigResult {
    std::optional<Config> config;
    std::vector<Complaint> complaints;
};

/// Reads the JSON of a configuration file and collects everything that is wrong with it.
/// `file_name` is for the complaints. Looks at nothing but its arguments; no complaint quotes a
/// value that stands where a secret belongs.
ConfigResult parse_config(std::string_view file_name, Bytes json);

/// As above, of the file at `path`; that it can't be read is a complaint too.
ConfigResult load_config(const std::string& path, Storage& storage);

/// The secrets that the configuration names by file: JSON pointer and octets, blanks at the end
/// removed. Fails with the first that can't be read or is empty.
using Secrets = std::vector<std::pair<std::string, Buffer>>;
Result<Secrets> read_secrets(const Config& config, Storage& storage);

/// The pointer of the TSIG secret among `Secrets`.
inline constexpr std::string_view tsig_secret_pointer =
    "/certificate/acme/challenge/dns-01/rfc2136/tsig/secret";

}  // namespace porchlight::agent
