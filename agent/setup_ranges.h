#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "net/link.h"

namespace porchlight::agent::setup {

/// What one dhcp-range of dnsmasq's makes it do, as dnsmasq(8) has it.
struct DhcpRange {
    IpAddress start;          // where dnsmasq makes up the prefix, its lower half
    std::string constructor;  // of IPv6: takes the prefixes of these interfaces, "*" at the end
    bool dhcp = true;         // leases, or answers to who asks for options alone
    bool advertised = false;  // of IPv6: with Router Advertisements, enable-ra or not
    bool operator==(const DhcpRange&) const = default;
};

/// Nothing where the value is no range of addresses, such as that of a relay.
std::optional<DhcpRange> parse_dhcp_range(std::string_view value);

/// Whether dnsmasq would use the range on a link: one of the link's networks holds its start, or
/// the link lends it a prefix.
bool covers(const DhcpRange& range, const net::Link& link);

/// Whether dnsmasq's pattern, with "*" at the end or none, names an interface.
bool matches(std::string_view pattern, std::string_view interface);
bool any_matches(const std::vector<std::string>& patterns, std::string_view interface);

/// The words between commas, without blanks or quotes around them; empty ones are none.
std::vector<std::string> comma_separated(std::string_view text);
std::string trimmed(std::string_view text);

}  // namespace porchlight::agent::setup
