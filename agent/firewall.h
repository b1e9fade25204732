#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/config.h"
#include "core/result.h"

namespace porchlight::agent {

/// Which ports are closed, and to what they stay open.
struct Fence {
    std::vector<std::string> lan_interfaces;
    std::vector<std::uint16_t> ports;  // none: there is nothing to close
};

/// What has to be closed while the listeners of `config` are open.
Fence fence(const Config& config);
/// Both at once, while listeners of the one and of the other are open.
Fence both(Fence one, const Fence& other);

/// The nftables table that keeps the encrypted ports closed toward everything but the LAN and this
/// machine: dropped without an answer, IPv4 and IPv6, by interface and not by address
/// (draft-btw-add-home-11 section 9.1).
std::string firewall_rules(const Fence& fence);

/// Loads it in one transaction in place of the one before; takes it away.
Result<void> load_firewall(const std::string& rules);
Result<void> unload_firewall();
/// Whether it is still there: whoever loads a ruleset may have flushed everybody's before.
bool firewall_stands();

}  // namespace porchlight::agent
