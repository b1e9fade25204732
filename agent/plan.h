#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config.h"
#include "agent/offers.h"
#include "core/clock.h"
#include "dns/encrypted_resolver.h"
#include "net/link.h"

namespace porchlight::agent {

/// What a group of hosts shall hear by DHCP.
struct GroupPlan {
    std::string tag;
    std::vector<std::string> links;                 // where: those whose mode is not off
    std::vector<dns::EncryptedResolver> resolvers;  // by priority; empty: they hear of none
    bool operator==(const GroupPlan&) const = default;
};

/// What a LAN link's hosts shall hear.
struct LinkPlan {
    std::string link;
    std::vector<dns::EncryptedResolver> resolvers;  // by priority; empty: nothing is announced
    std::string why;                                // why nothing is; empty otherwise
    /// When each of `resolvers` is offered no longer, in their order; empty: none of them ends.
    std::vector<Clock::time_point> ends = {};
    bool operator==(const LinkPlan&) const = default;
};

/// What every LAN link shall hear. Every carrier and `porchlight status` render this, so that no
/// two can disagree.
struct Plan {
    Mode mode = Mode::off;  // of the home as resolved: never `automatic`
    bool router = false;    // some link's hosts are to be told of this router itself
    std::vector<LinkPlan> links;
    std::vector<GroupPlan> groups;
    bool operator==(const Plan&) const = default;
};

/// Whether what this router serves on a link at one port may be announced, and if not, why.
struct Fitness {
    std::string link;
    bool fit = false;
    std::string why;
    bool looked = true;        // false: nobody looked yet, so it is not known
    std::uint16_t port = 853;  // TCP
    bool operator==(const Fitness&) const = default;
};

/// The facts that a plan follows from, beside the configuration.
struct Facts {
    std::vector<net::Link> links;
    std::vector<Fitness> fitness;  // what is missing here is not fit
    /// What each link hears now: it stays until this router was looked at, for hosts that change
    /// over shall have one resolver or the other at any time.
    std::vector<LinkPlan> told{};
    std::vector<Offer> offers = {};  // that have not ended
    bool upstream_known = true;      // there is somebody whom this router can ask
};

/// Why hosts are told nothing where nobody tells us of anything.
inline constexpr std::string_view offers_none = "the ISP offers no encrypted resolver";

/// Why hosts are not told of this router where it has nobody to ask.
inline constexpr std::string_view upstream_none =
    "nobody is known yet whom this router could ask: the ISP offers no encrypted resolver that "
    "answers";

/// Whether hosts are told the same, be it for longer or shorter.
bool same_but_for_ends(const Plan& a, const Plan& b);

/// The mode that `automatic` stands for: a resolver of our own is announced, else those that the
/// configuration names, else what a WAN offers (draft-btw-add-home-11 section 7.1.1), where there
/// is one. By the configuration alone: what is offered comes and goes.
Mode resolve_mode(const Config& config);
/// The same for one link, where it may differ.
Mode resolve_mode(const Config& config, const LanConfig& lan);
/// Whether any link's hosts shall be told of this router itself.
bool announces_router(const Config& config);
/// Whether any link's hosts shall be told what the WAN offers.
bool relays(const Config& config);
/// Whether this router asks somebody upstream, and whether those are whom a WAN offers, because
/// the configuration names nobody.
bool asks_upstream(const Config& config);
bool learns_upstream(const Config& config);
/// The links whose hosts are told what a WAN offers, or of this router, if it asks whom one offers:
/// after a power cut that may be another network, or none.
std::vector<std::string> links_by_wan(const Config& config);
/// Whether any host shall be told of anything.
bool announces(const Config& config);

/// The router's own addresses that hosts of a link are told: ULA, else global, else link-local for
/// IPv6, of several alike the smallest; the interface's first for IPv4. At most one of each family.
std::vector<IpAddress> announced_addresses(const net::Link& link);

/// What each LAN link should hear, from everything known now. No I/O, no clock.
Plan plan(const Config& config, const Facts& facts);

}  // namespace porchlight::agent
