#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config.h"
#include "agent/keeper_protocol.h"
#include "agent/offers.h"
#include "agent/resolver_json.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/storage.h"
#include "dhcp/wan_options.h"

namespace porchlight::agent {

/// This boot of the machine and how long ago it began, sleep included (CLOCK_BOOTTIME). What was
/// noted before a power cut says nothing about the network that is there now.
struct Boot {
    std::string id;
    std::chrono::seconds age{};
};
Boot this_boot();

/// What one source told of one WAN interface, as `porchlight wan` noted it: options are octets that
/// nobody read yet. Stands in a file of its own in the runtime directory, since a WAN is often up
/// before the daemon is.
struct WanRecord {
    std::string interface;
    OfferSource source = OfferSource::user;        // never `ra`, which the agent hears itself
    std::string told_by;                           // "udhcpc bound", for people
    std::vector<dhcp::V4Option> v4;                // of `dhcpv4`
    Buffer v6;                                     // of `dhcpv6`: a run of whole options
    std::vector<ResolverRecord> resolvers;         // of `user`
    std::optional<std::chrono::seconds> lifetime;  // of what DHCP told; none: until taken back
    std::chrono::seconds received{};               // when, as Boot::age
    std::string boot;                              // Boot::id then
    /// Of a client that tells of each address by itself: those that live, until when (Boot::age;
    /// all ones: for ever). `lifetime` is the longest of them.
    struct Lease {
        std::string name;
        std::chrono::seconds until{};
        bool operator==(const Lease&) const = default;
    };
    std::vector<Lease> leases = {};
    bool operator==(const WanRecord&) const = default;
};

/// More than any DHCP message holds, in hexadecimal digits.
inline constexpr std::size_t wan_record_octets_max = 64 << 10;
/// Of one record; more are not told apart from these.
inline constexpr std::size_t wan_leases_max = 16;
/// Files in the directory: every WAN that there may be by every source, and room for interfaces
/// that the configuration does not name yet.
inline constexpr std::size_t wan_records_max = 32;

/// Why a user's resolvers are no offer, or nothing: the place as a JSON pointer, then a reason.
std::optional<std::string> why_not_an_offer(const std::vector<ResolverRecord>& resolvers);

/// "dhcpv4", and back; nothing for `ra`.
std::string_view name_of(OfferSource source);
std::optional<OfferSource> parse_noted_source(std::string_view text);

/// "eth0.dhcpv4.json"
std::string wan_record_name(std::string_view interface, OfferSource source);

std::string to_json(const WanRecord& record);
/// Strict. Fails with `malformed`.
Result<WanRecord> parse_wan_record(Bytes json);

/// The directory of the records.
std::string wan_directory(const std::string& runtime_directory);
/// Those of the interfaces in `config.wan`, file names and octets, unread. Of one that is too large
/// there are no octets.
StoredParts read_wan_records(const Config& config, Storage& storage);

}  // namespace porchlight::agent
