#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/carriers.h"
#include "agent/guard_rules.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"

namespace porchlight::agent {

/// Kinds of messages between keeper and agent. The keeper reads no octet that came from a network:
/// what the agent hands it is stored or passed on as it is, under names that the keeper chose.
enum class Keep : std::uint16_t {
    // Keeper to agent.
    world = 1,              // World: at start and at each reload
    link_sockets = 2,       // LinkSocketsInfo, two descriptors a link: raw ICMPv6, frames
    control_listener = 3,   // one descriptor: the listening control socket
    forwarder_channel = 4,  // one descriptor: the channel to a (new) forwarder
    forwarder_lost = 5,     // it died; a new channel follows
    provision_channel = 6,  // one descriptor: the channel to the provision role asked for
    withdraw = 7,           // take every announcement back, answer `withdrawn`
    processes = 8,          // Processes: who runs now, and what is amiss
    wan_sockets = 12,       // list of names, a descriptor each: raw ICMPv6 of WAN links
    guard_ports = 9,        // where rogues are listened for, see agent/guard_ports.h
    cannot = 10,            // list of names: what these processes may not do, for people
    wan_records = 11,       // StoredParts: what `porchlight wan` noted, where that changed
    lease_file = 13,        // octets: dnsmasq's leases as it wrote them, answered by `leases`

    // Agent to keeper.
    dnsmasq_options = 20,   // text of the option file: write it, then tell dnsmasq
    store_announced = 21,   // octets: what is announced now, for whoever must withdraw it
    store_account = 22,     // StoredParts: the ACME account
    store_generation = 23,  // StoredParts: a new certificate
    store_schedule = 24,    // octets: when to try the CA again
    start_provision = 25,   // empty: answered by `provision_channel`
    withdrawn = 26,         // empty: nothing is announced any more; left out where that failed
    reload = 27,            // empty: somebody asked for it on the control socket
    links_changed = 28,     // empty: an interface came or went: look at the sockets again
    store_prefixes = 30,    // octets: the prefixes that RAs of ours told, for after a power cut
    wan_changed = 31,       // empty: `porchlight wan` noted something: read it again
    upstreams = 32,         // octets: learned ones that answer, so dnsmasq may ask us; empty: none
    let_in_again = 34,      // empty: who is kept out for the forwarder's deaths is so no more
    leases = 33,            // what stands in `lease_file`, see agent/leases.h
    odhcpd_lists = 29,      // text, see dhcp/odhcpd_feed.h: put it into UCI, then tell odhcpd

    // Both ways, empty: the watchdog's question and its answer.
    alive = 40,
};

/// One certificate as it lies in the store or in the user's files.
struct StoredCertificate {
    std::string origin;  // "generation 12", or the chain's path
    Buffer chain_pem;
    Buffer key_pem;
    bool operator==(const StoredCertificate&) const = default;
};

/// Named parts of one thing that is stored whole: file name and octets.
using StoredParts = std::vector<std::pair<std::string, Buffer>>;

/// Everything that lies in files, as the keeper found it.
struct World {
    std::string config_file;
    Buffer config_json;                                   // parsed and found good by the keeper
    std::vector<std::pair<std::string, Buffer>> secrets;  // JSON pointer, octets
    Buffer roots_pem;                                     // for upstreams
    Buffer acme_roots_pem;                                // for the CA's own HTTPS
    std::vector<StoredCertificate> certificates;          // newest first
    Buffer account;                                       // as `store_account` left it
    Buffer schedule;
    Buffer announced;     // by RA when the last run ended, see agent/announced.h
    Buffer prefixes;      // told by RAs of ours, be it before a power cut; in the same form
    Buffer dhcp_options;  // what dnsmasq tells now; empty: nothing
    Buffer odhcpd;        // likewise by odhcpd
    Buffer upstreams;     // as `upstreams` left it
    StoredParts wan;      // see agent/wan_record.h
    Found found;          // what runs here, for carriers that the configuration leaves to that
    bool operator==(const World&) const = default;
};

struct Processes {
    std::uint32_t keeper = 0;
    std::uint32_t agent = 0;
    std::uint32_t forwarder = 0;  // 0: not running
    std::uint32_t forwarder_starts = 0;
    std::uint32_t agent_starts = 0;
    bool dnsmasq_found = false;         // a process by its pid file
    std::string dnsmasq_trouble;        // empty: it is fed
    bool firewall = false;              // our rule is loaded
    std::string odhcpd_trouble;         // empty: it is fed, or need not be
    std::vector<std::string> troubles;  // what the keeper could not do, until it is done
    bool blocks_rogues = false;         // the guard's rules that do are loaded
    bool validates_sources = false;     // likewise
    GuardDropped dropped;               // by both
    bool reload_refused = false;        // the last one was; the configuration before stays
    bool operator==(const Processes&) const = default;
};

void write(Writer& out, const World& world);
Result<World> parse_world(Bytes message);
void write(Writer& out, const Processes& processes);
Result<Processes> parse_processes(Bytes message);
void write(Writer& out, const StoredParts& parts);
Result<StoredParts> parse_stored_parts(Bytes message);
void write(Writer& out, const std::vector<std::string>& names);
Result<std::vector<std::string>> parse_names(Bytes message);

}  // namespace porchlight::agent
