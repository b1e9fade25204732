#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/writer.h"
#include "net/frame.h"

namespace porchlight::agent {

/// Whose an IPv4 address is for now.
struct Lease {
    net::MacAddress mac;
    Ipv4 address;
    bool operator==(const Lease&) const = default;
};

/// As many as dnsmasq gives at most without being told otherwise, and as many again.
inline constexpr std::size_t leases_max = 2000;

/// What dnsmasq's lease file says, by address, at most `leases_max`. An address that stands there
/// twice, as it may while the file is written anew, is whoever's comes last. Passed over is what is
/// no lease of an IPv4 address to an Ethernet address: those of DHCPv6, which name a DUID that
/// shows in no frame, lines that nobody can read or that are not all there yet, and leases that
/// ended before `now` (none: the clock is not to be trusted).
std::vector<Lease> parse_lease_file(std::string_view file, std::optional<WallTime> now);
/// Those of `after` whose address was another host's in `before`.
std::vector<Lease> moved(const std::vector<Lease>& before, const std::vector<Lease>& after);

void write(Writer& out, const std::vector<Lease>& leases);
/// Fails for more than `leases_max`, too.
Result<std::vector<Lease>> parse_leases(Bytes message);

}  // namespace porchlight::agent
