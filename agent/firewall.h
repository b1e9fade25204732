#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace porchlight::agent {

/// The nftables table that keeps the encrypted ports closed toward everything but the LAN and this
/// machine: dropped without an answer, IPv4 and IPv6, by interface and not by address
/// (draft-btw-add-home-11 section 9.1).
std::string firewall_rules(const std::vector<std::string>& lan_interfaces,
                           const std::vector<std::uint16_t>& ports);

/// Loads it in one transaction in place of the one before; takes it away.
Result<void> load_firewall(const std::string& rules);
Result<void> unload_firewall();

}  // namespace porchlight::agent
