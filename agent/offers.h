#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config.h"
#include "core/clock.h"
#include "dns/encrypted_resolver.h"
#include "net/link.h"

namespace porchlight::agent {

/// How a WAN's word on resolvers came, in the order of preference: the user's before the network's,
/// DHCP's before a Router Advertisement's (RFC 8106 section 5.3.1).
enum class OfferSource { user, dhcpv4, dhcpv6, ra };

/// An encrypted resolver that a network behind a WAN interface tells of.
struct Offer {
    std::string wan;  // interface
    OfferSource source = OfferSource::user;
    dns::EncryptedResolver resolver;
    std::optional<Clock::time_point> until;  // none: until it is taken back
    bool operator==(const Offer&) const = default;
};

/// Of one source by one WAN no more are told: hosts try few, and a DHCPv4 answer holds about so
/// many.
inline constexpr std::size_t offers_per_source_max = 8;

/// An offer that hosts are not told of, and why; or one address of it, the rest being told.
struct RefusedOffer {
    Offer offer;
    std::string why;
    bool operator==(const RefusedOffer&) const = default;
};

/// What becomes of offers.
struct Sifted {
    std::vector<Offer> told;  // in the order that hosts shall try them, priorities accordingly
    std::vector<RefusedOffer> refused;
    bool operator==(const Sifted&) const = default;
};

/// What of `offers` hosts may be told.
/// - Not what they could not use or must not be told (dns::why_not_sendable).
/// - No address that means nothing to them or leads back into the home: link-local, this router's
///   own, or within a prefix of a LAN link. An offer that has none left is refused.
/// - WANs in the order of the configuration, whether they are up or not; within one what the user
///   said, then what DHCP told, then Router Advertisements; within these by priority.
/// - The same resolver from several of them once, with the later end.
/// - Priorities stay as offered as far as they keep that order.
Sifted sift(const Config& config, std::span<const net::Link> links, std::span<const Offer> offers);

/// Why an address can't be a resolver's that is beyond the home, told by a WAN; empty: it can.
std::string why_not_beyond(const Config& config, std::span<const net::Link> links,
                           const IpAddress& address);

/// Whether the configuration has that interface among its `wan`.
bool is_wan(std::string_view interface, const Config& config);

/// Those that have not ended at `now`, and the first end of these; none: none of them ends.
std::vector<Offer> still_offered(std::span<const Offer> offers, Clock::time_point now);
std::optional<Clock::time_point> first_end(std::span<const Offer> offers);

}  // namespace porchlight::agent
