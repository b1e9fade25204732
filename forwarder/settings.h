#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/result.h"
#include "dns/name.h"
#include "dns/svcb.h"
#include "forwarder/rebinding.h"
#include "net/server_identity.h"

namespace porchlight::forwarder {

/// What the server shows to clients: one immutable set, swapped whole.
struct TlsIdentity {
    Buffer chain_pem;  // leaf first
    Buffer key_pem;
    Buffer
        staple_der;  // an OCSP response that says the leaf is good (RFC 6066 section 8), or empty
    bool operator==(const TlsIdentity&) const = default;
};

/// One resolver to ask, over DoT, never in clear. Authenticated by its name (RFC 8310 section 5,
/// strict profile) unless another resolver designated it.
struct UpstreamSettings {
    dns::Name adn;
    std::vector<Endpoint> addresses;  // tried in this order
    /// What counts in place of `adn` where a plain resolver's address led to it (RFC 9462 section
    /// 4).
    std::optional<net::ServerIdentity> designated{};
    /// It is trusted to validate DNSSEC: its AD is passed on (RFC 6840 section 5.8). Of one that
    /// was designated it never is.
    bool validates = false;
    bool operator==(const UpstreamSettings&) const = default;
};

/// What those hear who ask DNS for this resolver's encrypted form (RFC 9462): the hosts of one
/// link.
struct Designations {
    std::string link;  // empty: hosts that ask the companion, whichever link they are on
    std::vector<dns::Svcb> records;    // by priority; the target of each is the resolver's own name
    std::vector<IpAddress> addresses;  // of that name, told along
    bool operator==(const Designations&) const = default;
};

/// Every loop, list and buffer that a stranger can drive, with its default.
struct Limits {
    std::uint64_t memory_bytes_max = 96 << 20;        // in all, see memory.h; 0: by the machine's
    std::uint32_t connections_max = 3000;             // TLS connections in all
    std::uint32_t connections_per_client_max = 32;    // by host, see Admission
    std::uint32_t in_flight_per_connection_max = 64;  // then reading stops (RFC 7766 section 7)
    std::uint32_t streams_per_connection_max = 100;   // of HTTP/2 at once (RFC 9113 section 5.1.2)
    std::uint32_t hpack_table_bytes = 0;            // of a connection each way, RFC 7541 section 4
    std::uint32_t in_flight_max = 10000;            // questions waiting for an answer, in all
    std::uint32_t waiters_per_question_max = 1000;  // clients that wait for one upstream query
    std::uint32_t queries_per_client_second = 200;  // sustained, by host
    std::uint32_t queries_per_client_burst = 1000;
    std::uint32_t output_bytes_max = 65536;  // a connection's unread answers; then reading stops
    std::uint32_t doh_bodies_bytes_max = 262144;  // of a connection's requests not yet answered
    // Of who is no neighbour: by /24 or /56, see Admission.
    std::uint32_t connections_per_prefix_max = 256;
    std::uint32_t queries_per_prefix_second = 2000;
    // Of plain DNS on loopback, where the companion asks for many, see Do53Rate.
    std::uint32_t do53_queries_per_second = 2000;
    std::uint32_t do53_queries_burst = 10000;
    std::uint32_t in_flight_per_client_max = 256;
    std::uint32_t in_flight_per_prefix_max = 1024;
    std::uint32_t full_handshakes_per_client_second = 5;
    std::uint32_t full_handshakes_per_client_burst = 20;
    std::uint32_t full_handshakes_per_prefix_second = 50;
    std::uint32_t resumed_handshakes_per_client_second = 20;
    std::uint32_t resumed_handshakes_per_client_burst = 50;
    std::uint32_t resumed_handshakes_per_prefix_second = 200;
    std::uint32_t unfinished_per_client_max = 8;  // handshakes not done, or failed lately
    std::uint32_t unfinished_per_prefix_max = 64;
    std::uint32_t unfinished_max = 512;
    // What handshakes compute, see HandshakeQueue: of one core, for all workers together.
    std::uint32_t handshake_cpu_share_percent = 50;
    std::chrono::milliseconds handshake_cpu_burst{2000};
    std::chrono::milliseconds handshake_max{10000};
    std::chrono::milliseconds frame_max{5000};  // from a frame's first octet to its last
    std::chrono::milliseconds idle_max{30000};
    std::chrono::milliseconds doh_idle_max{60000};  // browsers come back to one
    std::chrono::milliseconds stalled_max{10000};   // a peer that reads nothing
    std::chrono::milliseconds query_max{10000};     // until SERVFAIL, when nothing answers
    std::chrono::milliseconds leaving_max{1000};    // from our goodbye to the end of a connection
    std::chrono::milliseconds ticket_lifetime{std::chrono::hours(12)};  // of a session's ticket
    std::chrono::milliseconds ticket_rotation{std::chrono::hours(12)};  // of what seals them
    bool operator==(const Limits&) const = default;
};

/// What is noted of queries, see QueryLog.
struct QueryLogSettings {
    enum class Level : std::uint8_t {
        off,
        counters,  // how many of which type, with which outcome
        names,     // and each name, but not who asked
        full,      // and who asked, by a pseudonym of the day and his network
    };
    Level level = Level::off;
    std::uint64_t bytes_max = 0;  // of all workers' queries, then the oldest go; 0: by the memory
    std::chrono::seconds kept_for{86400};
    bool operator==(const QueryLogSettings&) const = default;
};

/// How long what is stale stands in for what is true, and how it is tried to do better (RFC 8767).
struct StaleSettings {
    std::chrono::seconds max{86400};               // after its time; 0: never
    std::chrono::milliseconds client_timer{1800};  // then a client hears what is stale
    std::chrono::seconds recheck{30};              // not asked anew any sooner, once it stood in
    std::chrono::seconds ttl{30};                  // that it leaves with, at most
    bool operator==(const StaleSettings&) const = default;
};

/// Everything the forwarder is told. It arrives as octets from the agent and replaces what was
/// there as a whole; connections that are still valid stay.
struct Settings {
    std::optional<TlsIdentity> identity;      // none: DoT and DoH listen but refuse handshakes
    std::vector<UpstreamSettings> upstreams;  // tried in this order
    Buffer roots_pem;                         // trust anchors for upstreams
    /// Which network the upstreams are asked from: by another word nothing of the sessions with
    /// them is gone on with (RFC 8446 appendix C.4, RFC 9250 section 5.5.3).
    std::string network;
    bool dates_count = true;                 // false while the clock is not trusted
    std::optional<Endpoint> companion;       // plain DNS server of the home's own names
    std::vector<dns::Name> local_domains;    // the companion's, with reverse zones of private space
    dns::Name adn;                           // the resolver's own name, answered here; root: none
    std::vector<IpAddress> addresses;        // of `adn`
    std::vector<Designations> designations;  // a link that is missing here is told of none
    /// Where DoH listeners answer, all of them alike: paths as in a URL, without a query.
    std::vector<std::string> doh_paths;
    bool doh_http1 = false;  // HTTP/1.1 beside HTTP/2
    RebindingRules rebinding;
    std::uint64_t cache_bytes_max = 0;  // 0: by the memory that there is
    std::chrono::seconds ttl_min{0};
    std::chrono::seconds ttl_max{86400};
    std::chrono::seconds negative_ttl_max{900};
    StaleSettings stale;
    std::chrono::seconds failure_ttl{5};  // of a name whose servers fail; doubles each time
    std::chrono::seconds failure_ttl_max{300};
    /// That a name does not exist says the same of all names beneath it (RFC 8020), for clients
    /// that want no proof of it.
    bool nxdomain_cut = false;
    QueryLogSettings query_log;
    bool application_dns = true;  // browsers may choose another resolver by themselves
    Limits limits;
    bool operator==(const Settings&) const = default;
};

/// The forwarder's word on itself, for `porchlight status`.
struct UpstreamState {
    dns::Name adn;
    Endpoint address;
    bool reachable = false;  // answered last time it was asked, or not asked yet
    std::string last_error;  // empty: none
    std::uint64_t queries = 0;
    std::uint64_t failures = 0;
    std::uint32_t round_trip_us = 0;  // smoothed
    bool operator==(const UpstreamState&) const = default;
};

struct Counter {
    std::string name;  // "dot_queries", "cache_hits": [a-z0-9_]+
    std::uint64_t value = 0;
    bool operator==(const Counter&) const = default;
};

/// A client that is not let in for what it did.
struct Ban {
    std::string client;  // a pseudonym, until the process ends
    std::chrono::seconds left{};
    bool operator==(const Ban&) const = default;
};

struct Status {
    bool serving = false;  // settings arrived and, if there is an identity, it is in use
    std::vector<UpstreamState> upstreams;
    std::vector<Counter> counters;    // since the process began
    std::uint64_t cache_entries = 0;  // now
    std::uint64_t cache_octets = 0;
    std::uint32_t dot_connections = 0;  // open now
    std::uint32_t doh_connections = 0;
    std::uint64_t connection_octets = 0;      // that they hold
    std::uint64_t connection_octets_max = 0;  // and may
    std::uint32_t handshakes_waiting = 0;     // for the processor, now
    std::uint32_t clients_today = 0;          // hosts that asked over TLS, last 24 hours
    std::optional<std::chrono::seconds> since_last_dot_query;  // or DoH, by a host; none: never
    std::vector<Ban> bans;                                     // those for longest first
    bool operator==(const Status&) const = default;
};

void write(Writer& out, const std::vector<UpstreamSettings>& upstreams);
Result<std::vector<UpstreamSettings>> parse_upstreams(Bytes octets);
void write(Writer& out, const Settings& settings);
Result<Settings> parse_settings(Bytes message);
void write(Writer& out, const Status& status);
Result<Status> parse_status(Bytes message);

}  // namespace porchlight::forwarder
