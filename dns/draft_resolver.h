#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/reader.h"
#include "dns/encrypted_resolver.h"
#include "dns/name.h"

// What the options of draft-btw-add-home-11, the ancestor of RFC 9463, have in common. In DHCPv6
// and in Router Advertisements a resolver is told of by two options, its name and its addresses,
// that only their flags tie together. The draft never got code points and leaves much open; what is
// decided here is said where it is.

namespace porchlight::dns {

/// Where the draft's options stand. None was ever assigned: experimental in Neighbor Discovery (RFC
/// 4727 section 5.1.3), site-specific in DHCPv4 (RFC 3942), and in DHCPv6, which has neither, high
/// numbers for closed networks.
struct DraftCodePoints {
    std::uint8_t ra_adn = 253;
    std::uint8_t ra_addresses = 254;
    std::uint8_t dhcpv4 = 230;
    std::uint16_t dhcpv6_adn = 65001;
    std::uint16_t dhcpv6_addresses = 65002;
    std::uint16_t dhcpv6_templates = 65003;
    /// Not 0: in DHCPv6 they are sub-options 1, 2 and 3 of OPTION_VENDOR_OPTS under this number.
    std::uint32_t enterprise = 0;
    bool operator==(const DraftCodePoints&) const = default;
};

/// Which protocols an option stands for (Figure 8).
enum DraftFlag : std::uint8_t { draft_dot = 0x01, draft_doh = 0x02, draft_doq = 0x04 };

/// One resolver as the draft tells of it. A received one may lack its name or its addresses, where
/// the option that would hold them is missing.
struct DraftResolver {
    std::optional<Name> adn;
    std::uint8_t flags = 0;              // of DraftFlag; 0 if it has nothing but templates
    std::uint16_t port = 0;              // for all protocols; 0: the default of each
    std::vector<IpAddress> addresses;    // in order of preference
    std::vector<std::string> templates;  // URI templates of DoH (Figure 16), DHCPv6 only
    std::optional<std::chrono::seconds> lifetime;  // Router Advertisements only
    bool operator==(const DraftResolver&) const = default;
};

/// What a name option says (Figures 7 and 14).
struct DraftName {
    std::uint8_t flags = 0;
    Name adn;
    std::optional<std::chrono::seconds> lifetime;
};

/// What an address option says (Figures 10 and 15).
struct DraftAddresses {
    std::uint8_t flags = 0;
    std::uint16_t port = 0;
    std::vector<IpAddress> addresses;
    std::optional<std::chrono::seconds> lifetime;
};

/// Puts together what belongs together, in the order of the message: first the options of equal
/// flags, one to one; then each protocol that a name still lacks addresses for gets those of the
/// first options that are left to offer it; then addresses that are left go to the first name that
/// has their protocol, since a name may have several options for addresses of several lifetimes
/// (section 4.3). What finds no partner stands alone, names first. A template goes to the first DoH
/// resolver of its host and port. Of two lifetimes the shorter counts; but a name outlives
/// addresses that are taken back (lifetime 0), and without others it stands alone beside them.
std::vector<DraftResolver> paired(std::span<const DraftName> names,
                                  std::span<const DraftAddresses> addresses,
                                  std::span<const std::string> templates = {});

/// Why a host can't use what it received, or nothing: it is taken back, no name goes with it, or
/// one that reads as an address, or its port is blocked. A name without addresses is usable by
/// those who look them up, DoH without a template by those who ask for one.
std::optional<std::string> why_not_usable(const DraftResolver& resolver);

/// In the terms of RFC 9463. The order becomes the priority, 1 for the first; what has no name or
/// is taken back is no resolver; a name without addresses becomes ADN-only. Each further template
/// is a resolver of its own, for DoH alone. Where DoH came without a usable template it is left out
/// beside other protocols: an alpn that names HTTP without a path would spoil the entry (RFC 9461
/// section 5).
std::vector<EncryptedResolver> resolvers_of(std::span<const DraftResolver> received);

/// A resolver to be told of, and the priority it had.
struct DraftOffer {
    std::uint16_t priority = 1;
    DraftResolver resolver;
};

struct DraftOffers {
    std::vector<DraftOffer> offers;  // the most preferred first
    std::vector<LeftOut> left_out;
};

/// Resolvers in the draft's terms, with their addresses of one family. Those of equal name, port
/// and addresses become one, as section 4.1 of the draft wants it. Left out is what must not be
/// sent (why_not_sendable), what has no address of the family, and ADN-only: the draft has no word
/// for a resolver of unknown protocols. Parameters other than alpn, port and dohpath have none
/// either and stay unsaid; h2, h3 and http/1.1 are all just DoH.
template <class Address>
DraftOffers draft_offers(std::span<const EncryptedResolver> resolvers);

/// A URI template taken apart, "https://HOST[:PORT]PATH", scheme and host in letters of any case.
struct DohTemplate {
    Name host;
    std::uint16_t port = 443;
    std::string path;
    bool operator==(const DohTemplate&) const = default;
};

/// Nothing where it is no template of https, of a host's name, with a path that is_usable_dohpath.
std::optional<DohTemplate> parse_doh_template(std::string_view text);

/// The template for `path` at a resolver; `port` 0 is the default one and not written.
std::string doh_template(const Name& adn, std::uint16_t port, std::string_view path);

/// Flags without the unassigned bits, which receivers ignore; fails the reader if none is left.
std::uint8_t read_draft_flags(Reader& in);

/// The ALPN ids that flags stand for (DoH: h2), and the flags that ids stand for.
std::vector<std::string> alpn_of(std::uint8_t flags);
std::uint8_t flags_of(std::span<const std::string> alpn);

}  // namespace porchlight::dns
