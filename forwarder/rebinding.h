#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "dns/name.h"
#include "dns/question.h"
#include "net/frame.h"
#include "net/nat64_prefix.h"

// A page of a stranger's may have a name whose address he changes to one of the home: the browser
// then lets the page speak to the printer, the router, the camera, for it is the page's own name
// (DNS rebinding). So an answer from outside must not lead back in.

namespace porchlight::forwarder {

struct RebindingRules {
    /// A host of the home that answers may lead inward for, known by one of two.
    struct Device {
        std::optional<net::MacAddress> mac;   // on a link of the home
        std::vector<dns::Name> domains = {};  // as allow_domains; empty: whatever the name
        std::string id = {};                  // that it says itself, see device_id.h; empty: none
        bool operator==(const Device&) const = default;
    };

    bool block = true;
    /// Names that may lead into the home, with all below them. It is the question's name that
    /// counts, never one that a CNAME leads to: services that name the home's own devices outside
    /// give a name to every address, and anybody's CNAME could lead there.
    std::vector<dns::Name> allow_domains = {};
    /// Behind which a translator reaches IPv4 (RFC 6052), beside those that are reserved for it.
    std::vector<net::Nat64Prefix> nat64_prefixes = {};
    /// No host twice. What each of them may hear is a view's, see Views; judge() knows no hosts.
    std::vector<Device> allow_devices = {};
    bool operator==(const RebindingRules&) const = default;
};

/// Whether the address leads into the home, to this machine or to nowhere, or is a form of an IPv4
/// address that does: private (RFC 1918), shared (RFC 6598), loopback, link-local, of this network,
/// of a translator's own ends (RFC 7335); unspecified, unique local, site-local; IPv4 mapped, in
/// 6to4 (RFC 3056) or behind NAT64 (RFC 6052, RFC 8215).
bool leads_inward(const Ipv4& address);
bool leads_inward(const Ipv6& address, const std::vector<net::Nat64Prefix>& nat64_prefixes);

/// What is to be done with an answer from outside. Whatever else may come to judge answers comes to
/// one of these.
enum class Judgement : std::uint8_t {
    pass,
    pass_without_additional,  // what nobody asked for leads inward, or is damaged
    block,                    // leads inward: the host hears that there is nothing
    foreign,                  // has answers to what nobody asked: it is no answer
};

/// `response` is one that dns::parse_answer() took, without OPT, and no failure.
/// - Addresses count in A and AAAA, and in the hints of SVCB and HTTPS (RFC 9460 section 7.3). One
///   that leads inward blocks the whole: who tells one lie is not believed the rest. SVCB data that
///   can't be read counts as leading inward.
/// - Each record of the answer section must be the question's, or of a name that its CNAMEs and
///   DNAMEs lead to (RFC 2181 section 5.4.1). An answer with another is not cut to size but
///   foreign: our upstreams are resolvers, which don't send such.
Judgement judge(const RebindingRules& rules, const dns::Question& question, Bytes response);

}  // namespace porchlight::forwarder
