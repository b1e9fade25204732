#pragma once

#include <string>
#include <vector>

#include "agent/leases.h"
#include "agent/nft_text.h"
#include "core/address.h"

namespace porchlight::agent {

/// Which source addresses are whose, for frames that come in at ports of the home's bridges.
struct Sources {
    struct Link {
        std::vector<BridgePort> ports;  // whose untagged frames are the home's
        std::vector<IpAddress> own;     // of this router on that link: no host's
        bool operator==(const Link&) const = default;
    };
    std::vector<Link> links;
    std::vector<Lease> leased;  // no other host's
    bool operator==(const Sources&) const = default;
};

/// The sets and chains, within the guard's nftables table, that drop what comes from another's
/// address (RFC 7513 in spirit), whether it is for this router or for a host:
/// - packets from it, ARP that says it is the sender's, Neighbor Advertisements of this router's;
/// - IPv4 and ARP in SNAP, and two VLAN tags the second of which says no VLAN: what hosts may look
///   through and the rules can't;
/// - DHCP in the name of a host that has a lease, from another hardware address.
/// An address that is nobody's may be used by anybody, for hosts with addresses of their own are in
/// many homes (RFC 7513 lets only leased ones pass).
std::string source_rules(const Sources& sources);

}  // namespace porchlight::agent
