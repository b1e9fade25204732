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
#include "dns/format.h"

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
/// dnsmasq cuts a line of the options file here and sends what is left of it.
inline constexpr std::size_t dnsmasq_line_max = 1024;
/// Of several lines for option 144 dnsmasq sends the last, so there is one.
inline constexpr std::size_t dnsmasq_v6_count_max = 1;
/// As many servers of a resolv.conf as are taken over.
inline constexpr std::size_t former_servers_max = 8;

/// Options of one carrier, and who is not in them and why.
struct CarrierOptions {
    struct Option {
        std::uint16_t code = 0;
        Buffer data;
        std::uint32_t enterprise = 0;  // not 0: a sub-option of OPTION_VENDOR_OPTS
        bool operator==(const Option&) const = default;
    };
    std::vector<Option> options;
    std::vector<dns::LeftOut> left_out;
};

/// What some hosts are told by dnsmasq.
struct HostOptions {
    /// The hosts' tag: an interface, which dnsmasq gives to all hosts of the link, or a group's.
    std::string tag;
    std::vector<std::string> on;  // of a group: the links where it is told
    CarrierOptions v4;
    CarrierOptions v6;
};

/// Which carriers dnsmasq is for, and in which forms.
struct DnsmasqUse {
    bool v4 = true;
    bool v6 = true;
    dns::Forms forms;
};

/// Resolvers and who is told of them: the hosts of a link, or those of a group on some links.
struct TaggedResolvers {
    std::string tag;
    std::vector<dns::EncryptedResolver> resolvers;
    std::vector<std::string> on = {};
};

/// What the file that `dhcp-optsfile` names says.
struct DnsmasqOptions {
    std::vector<HostOptions> links;
    std::vector<HostOptions> groups;
};

/// Within dnsmasq's limits: by DHCPv4 the preferred resolvers that fit dnsmasq_v4_room, or one
/// longer instance if none does; by DHCPv6 one resolver.
DnsmasqOptions dnsmasq_options(std::span<const TaggedResolvers> links,
                               std::span<const TaggedResolvers> groups, const DnsmasqUse& use);

/// The file itself: a line for each link and option, and for each link of each group. Of several
/// that apply to a host dnsmasq sends the last, so a group's stand behind the links'; a group
/// without an option is kept from the links' too. Without any line it withdraws, once dnsmasq was
/// sent SIGHUP.
std::string options_text(const DnsmasqOptions& options);

/// Whether such a file tells the hosts of `tag` of a resolver with that name, or of any.
bool tells(std::string_view options_text, std::string_view tag, const dns::Name& adn);
bool tells(std::string_view options_text, std::string_view tag);
/// Such a file without what it tells the hosts of these `tags`; empty where nothing else is told.
std::string without(std::string_view options_text, std::span<const std::string> tags);

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
    struct Group {
        std::string tag;
        std::vector<std::string> hosts;  // hardware addresses
    };
    std::vector<Group> groups = {};
    std::vector<dns::Name> may_lead_home = {};  // domains that stop-dns-rebind must leave alone
};

std::string fragment_text(const DnsmasqFragment& fragment);

}  // namespace porchlight::dhcp
