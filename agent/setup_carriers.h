#pragma once

#include <optional>
#include <string>

#include "agent/config.h"
#include "agent/setup_found.h"

namespace porchlight::agent::setup {

/// `config` with the carriers that a daemon would use on a machine like this one.
Config in_force(const Config& config, const Found& found);

/// Why a carrier that is switched on ("dhcpv4", "dhcpv6", "ra") would tell the hosts of a link
/// nothing, in words; empty: it works. What can't be looked at is taken to work. `dnsmasq` is the
/// home's, if it has one.
std::string why_silent(const AnnounceConfig& announce, const std::string& carrier,
                       const net::Link& link, const Found& found,
                       const std::optional<DnsmasqFound>& dnsmasq);

/// The programs that send Router Advertisements on a link, in words; empty: none was found.
std::string advertisers(const net::Link& link, const Found& found,
                        const std::optional<DnsmasqFound>& dnsmasq);

}  // namespace porchlight::agent::setup
