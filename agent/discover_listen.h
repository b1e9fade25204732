#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "agent/discover_told.h"
#include "core/result.h"
#include "net/link.h"

namespace porchlight::agent::discover {

/// What was asked by one carrier.
struct Asked {
    Carrier carrier = Carrier::dhcpv4;
    std::string how;      // "DHCPINFORM from 192.168.1.5"
    std::string problem;  // why it could not be asked; empty: it was
};

struct Heard {
    std::vector<Asked> asked;
    std::vector<Told> told;
    std::vector<std::string> notes;  // answers that no host could read, and the like
};

/// Asks by DHCPv4 (INFORM, or DISCOVER where the link has no IPv4 address: no lease is taken),
/// DHCPv6 (Information-request) and Router Solicitation, all at once and again while there is time,
/// and hears what comes until `within` has passed: several may answer. Holds no port that a client
/// has. Fails with `denied` without CAP_NET_RAW. `when_open` is called once all sockets are open,
/// before the first octet is read: the last moment to be root. If it fails, so does this.
Result<Heard> listen(const net::Link& link, std::chrono::milliseconds within,
                     const std::function<Result<void>()>& when_open);

}  // namespace porchlight::agent::discover
