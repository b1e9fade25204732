#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/setup_dnsmasq.h"
#include "agent/setup_radvd.h"
#include "net/link.h"

namespace porchlight::agent::setup {

struct FoundLink {
    net::Link link;
    bool loopback = false;
    bool bridge = false;
    bool bridge_port = false;    // its hosts are the bridge's
    bool default_route = false;  // the Internet is behind it
};

/// This machine as it was looked at.
struct Found {
    std::vector<FoundLink> links;
    std::vector<DnsmasqFound> dnsmasq;  // one for each that runs
    std::vector<RadvdFound> radvd = {};
    bool odhcpd = false;  // it runs; once UCI was asked: and serves the home
    std::optional<std::string> https_holder = {};  // who has port 443, as holder_of() says
};

/// What is where, as far as it can be told.
struct Proposal {
    std::vector<std::string> lan;  // the best guess; may be empty
    bool lan_is_sure = false;      // nothing else could be meant
    std::vector<std::string> wan;  // empty: no default route
    std::optional<DnsmasqFound> dnsmasq;
};

/// - WAN: the links of the default routes.
/// - LAN: links with a private or unique local address that are none of these. Those that dnsmasq
///   names go before bridges, and these before the rest; bridges of virtual machines and containers
///   come last.
/// - dnsmasq: of several the one that serves the LAN. That of a virtual network is none.
Proposal propose(const Found& found);

}  // namespace porchlight::agent::setup
