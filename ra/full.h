#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "dns/name.h"
#include "ra/advertisement.h"

namespace porchlight::net {
struct Link;
}

namespace porchlight::ra {

struct Prefix {
    Ipv6 address;         // octets beyond `length` are zero
    unsigned length = 0;  // in bits
    bool operator==(const Prefix&) const = default;
};

/// What porchlight says of this router where it is itself the RA daemon of a link. A struct that
/// exists is valid: durations of whole seconds that fit their fields, names that are host names.
struct FullSettings {
    enum class Preference { low, medium, high };  // RFC 4191 section 2.1

    static constexpr std::size_t routes_max = 16;

    /// How long hosts keep this router as a default router after each advertisement. 0: it is none.
    /// Else MaxRtrAdvInterval to 9000 s (RFC 4861 section 6.2.1).
    std::chrono::seconds router_lifetime{1800};
    Preference preference = Preference::medium;  // among several default routers
    bool managed = false;                        // "M": addresses by DHCPv6
    bool other = false;                          // "O": other settings by DHCPv6
    std::uint8_t cur_hop_limit = 64;
    std::uint32_t mtu_octets = 0;  // 0: the link's own
    /// Plain resolvers, the preferred first (RFC 8106 section 5.1).
    std::vector<Ipv6> rdnss;
    std::vector<dns::Name> dnssl;  // search domains (RFC 8106 section 5.2)
    /// Of both: SHOULD be at least three times MaxRtrAdvInterval.
    std::chrono::seconds dns_lifetime{1800};
    /// What this router leads to even where it is no default router, such as the home's other
    /// links (RFC 4191 section 2.3, RFC 7084 L-3), for `route_lifetime`.
    std::vector<Prefix> routes;
    std::chrono::seconds route_lifetime{1800};
    /// No prefix is announced for longer, however long its address has: hosts must not keep a
    /// prefix for weeks after the uplink lost it (RFC 9096 section 3.4).
    std::chrono::seconds preferred_lifetime_max{2700};  // ND_PREFERRED_LIMIT
    std::chrono::seconds valid_lifetime_max{5400};      // ND_VALID_LIMIT
    bool operator==(const FullSettings&) const = default;
};

/// What a link itself contributes.
struct LinkFacts {
    static constexpr Clock::time_point for_ever = Clock::time_point::max();

    /// A prefix that the router has an address in.
    struct OwnPrefix {
        Prefix prefix;
        Clock::time_point preferred_until = for_ever;
        Clock::time_point valid_until = for_ever;
        bool operator==(const OwnPrefix&) const = default;
    };

    /// The link-local address that everything is sent from; nothing: nothing can be sent.
    std::optional<Ipv6> source;
    std::optional<std::array<std::uint8_t, 6>> link_layer_address;
    std::uint32_t mtu_octets = 0;  // 0: unknown
    std::vector<OwnPrefix> prefixes;
    bool operator==(const LinkFacts&) const = default;
};

/// What `link` contributes. Of its addresses those make a prefix that are
/// neither link-local nor tentative nor of /128, each prefix once, with the longest lifetimes.
LinkFacts link_facts(const net::Link& link);

RouterHeader router_header(const FullSettings& settings);

/// The advertisement as it is at `now`, without encrypted-DNS options (RFC 4861 section 6.2.3).
/// - Prefix lifetimes are what is left of the address, so they count down. Each prefix is on-link;
///   a /64 is autonomous, too (RFC 4862).
/// - Without a link-layer address of 6 octets that option is left out.
Advertisement compose_full(const FullSettings& settings, const LinkFacts& link,
                           Clock::time_point now);

}  // namespace porchlight::ra
