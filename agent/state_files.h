#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/keeper_protocol.h"
#include "core/clock.h"
#include "core/storage.h"

namespace porchlight::agent {

inline constexpr std::string_view default_state_directory = "/var/lib/porchlight";

/// The configuration that was last found good, kept for `withdraw`: the user's own file may be
/// under edit when a daemon dies.
std::string accepted_config(const std::string& state_directory);
/// Where a daemon answers `status`.
std::string control_socket(const std::string& runtime_directory);

/// Where everything lies that outlives a process. The keeper alone reads and writes it.
struct StatePaths {
    explicit StatePaths(const Config& config);

    std::string state;           // survives a power cut
    std::string runtime;         // in RAM
    std::string lock;            // held for as long as a daemon runs
    std::string control_socket;  // of the daemon
    std::string empty_root;      // the forwarder's file system
    std::string dnsmasq;         // directory of what dnsmasq reads
    std::string accepted;        // as the daemon last took it: for whoever must withdraw
    std::string upstreams;       // that were learned from a WAN, one of which answered
    std::string announced;       // what is announced now: for whoever must withdraw it
    std::string prefixes;        // that Router Advertisements told, for after a power cut
    std::string dhcp_options;    // the last options, to be there at once after a power cut
    std::string odhcpd;          // what stands in odhcpd's lists: for whoever must withdraw it
    std::string certificates;    // store of ACME's certificates
    std::string account;         // of ACME
    std::string schedule;        // of orders
};

/// The configuration and everything that it names by file. Fails where something that it needs
/// can't be read.
Result<World> read_named_files(const std::string& config_file, const Config& config,
                               Bytes config_json, Storage& storage);

/// The same, and everything that was stored, as it is now. What is stored but damaged is left out.
World with_stored(World named, const Config& config, Storage& storage);

/// The DHCP options that hosts are told, and the configuration that they were made by: in one file,
/// so that no power cut parts them. None are kept where there are none.
Result<void> store_options(const StatePaths& paths, std::string_view options, Bytes config_json,
                           Storage& storage);
/// Those that were stored, if a daemon with this configuration may tell them before it looked at
/// anything; else none.
std::string stored_options(const StatePaths& paths, Bytes config_json, Storage& storage);

/// Stores the certificate that the agent handed over ("chain.pem", "key.pem", "directory"), whole
/// or not at all. The octets are not looked at.
Result<void> store_generation(const StatePaths& paths, const StoredParts& parts, WallTime now,
                              Storage& storage);

}  // namespace porchlight::agent
