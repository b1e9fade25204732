#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dns/encrypted_resolver.h"

namespace porchlight::dhcp {

// How OpenWrt's odhcpd is told of encrypted resolvers: `list dnr` values in its sections of the UCI
// package `dhcp`. It puts one list into everything that it sends on the link: Router
// Advertisements, DHCPv6 and, where it is the main DHCP server, DHCPv4. What it was seen to do
// wrong, and what is done about that, stands in dhcp/README.md.

/// Room for options 144 in odhcpd's one Router Advertisement: what the least IPv6 MTU leaves beside
/// its headers, prefixes, routes and plain resolvers.
inline constexpr std::size_t odhcpd_ra_room = 1000;

/// What odhcpd sends on a link, as far as it matters to its list.
struct OdhcpdUse {
    bool advertises = true;         // Router Advertisements, with all their faults
    bool may_serve_dhcpv4 = false;  // no other server of that is known to be there
    std::chrono::seconds lifetime{1800};
};

/// The values of one section's list, and who is not among them and why.
struct OdhcpdList {
    std::vector<std::string> values;           // the most preferred first
    std::vector<dns::EncryptedResolver> told;  // what each makes odhcpd send
    std::vector<dns::LeftOut> left_out;
};

/// Only what odhcpd sends right: IPv6 addresses alone, parameters that it knows, and in Router
/// Advertisements no option whose padding it gets wrong; there the protocol's own port is named
/// where that helps. `told` differs from `resolvers` in nothing else.
OdhcpdList odhcpd_list(std::span<const dns::EncryptedResolver> resolvers, const OdhcpdUse& use);

/// One value and the section that it is for.
struct OdhcpdEntry {
    std::string section;
    std::string value;
    bool operator==(const OdhcpdEntry&) const = default;
};

/// Whether a section of UCI can have this name.
bool is_uci_name(std::string_view text);

/// A line for each, to be stored and handed from process to process; and back. Strict: what is
/// read goes to a privileged program.
std::string odhcpd_text(std::span<const OdhcpdEntry> entries);
Result<std::vector<OdhcpdEntry>> parse_odhcpd_text(std::string_view text);

/// The UCI package `dhcp`, as far as it matters here.
struct UciDhcp {
    std::vector<std::string> sections;  // that have a name
    std::vector<std::string> served;    // where odhcpd advertises or serves DHCPv6 itself
    std::vector<OdhcpdEntry> ours;      // values of `list dnr` that are spelt as only we spell them
};

/// What `uci show dhcp` printed. Lines of other shape are passed over.
UciDhcp parse_uci_show(std::string_view text);

/// What `uci batch` reads to have `after` where `before` or a part of both was. Values that are
/// neither stay as they are, and so may it be run twice.
std::string uci_batch(std::span<const OdhcpdEntry> before, std::span<const OdhcpdEntry> after);

}  // namespace porchlight::dhcp
