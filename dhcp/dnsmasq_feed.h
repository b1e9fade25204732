#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "dhcp/encoded.h"
#include "dns/encrypted_resolver.h"

namespace porchlight::dhcp {

// The texts that make a dnsmasq of the user's tell hosts of encrypted resolvers and ask us for what
// it doesn't know: a fragment that it reads once, at its start, and two files that the fragment
// names and that SIGHUP makes it read again. dhcp/README.md says what dnsmasq was seen to do.

/// Room for option 162 that every client's answer has: 308 octets less what dnsmasq puts there
/// first. Where it is missing, dnsmasq sends the answer without the option.
inline constexpr std::size_t dnsmasq_v4_room = 192;
/// The longest option 162 that dnsmasq reads; only clients that say they take long messages
/// (option 57) are sent it.
inline constexpr std::size_t dnsmasq_v4_octets_max = 255;
/// dnsmasq cuts a line of the options file after 1024 characters and sends what is left of it.
inline constexpr std::size_t dnsmasq_v6_octets_max = 320;
/// Of several lines for option 144 dnsmasq sends the last, so there is one.
inline constexpr std::size_t dnsmasq_v6_count_max = 1;
/// As many servers of a resolv.conf as are taken over.
inline constexpr std::size_t former_servers_max = 8;

/// What one LAN link's hosts are told by dnsmasq, and who is not in it and why. To keep a carrier
/// out, clear its part.
struct LinkOptions {
    std::string interface;
    EncodedV4 v4;
    EncodedV6 v6;
};

/// Within dnsmasq's limits: the preferred resolvers that fit dnsmasq_v4_room, or one longer
/// instance if none does; and one resolver by DHCPv6.
LinkOptions link_options(std::string interface, std::span<const dns::EncryptedResolver> resolvers);

/// The file that `dhcp-optsfile` names: a line for each link and carrier that has something to
/// tell. Without any it withdraws, once dnsmasq was sent SIGHUP.
std::string options_text(std::span<const LinkOptions> links);

/// A server that dnsmasq asks. `zone` is the interface of a link-local address, else empty.
struct DnsServer {
    IpAddress address;
    std::uint16_t port = 53;
    std::string zone;
    bool operator==(const DnsServer&) const = default;
};

/// The file that `servers-file` names. Without servers dnsmasq answers REFUSED at once to what it
/// doesn't know itself; with one that isn't there it leaves hosts waiting.
std::string servers_text(std::span<const DnsServer> servers);

/// The nameservers of a resolv.conf, at most former_servers_max, without dnsmasq's own loopback
/// addresses. Lines that are none are passed over.
std::vector<DnsServer> former_servers(std::string_view resolv_conf);

/// What dnsmasq must know from its start.
struct DnsmasqFragment {
    std::string servers_file;          // absolute; readable for dnsmasq's user, like options_file
    std::string options_file;          // absolute
    std::optional<dns::Name> adn;      // the router's own, where it is a resolver itself
    std::vector<IpAddress> addresses;  // that the ADN has in the home
};

std::string fragment_text(const DnsmasqFragment& fragment);

}  // namespace porchlight::dhcp
