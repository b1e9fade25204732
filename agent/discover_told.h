#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/option_codecs.h"
#include "agent/resolver_json.h"
#include "core/address.h"
#include "core/bytes.h"
#include "dhcp/v4_message.h"
#include "dhcp/v6_message.h"
#include "dns/format.h"
#include "ra/advertisement.h"

// What a network tells of its resolvers, as a host that asks all at once hears it. Pure: octets in,
// values out.

namespace porchlight::agent::discover {

/// Who told something: a server, a router, or the resolver that was asked.
struct Sender {
    IpAddress address;
    Buffer hardware_address{};  // empty where it could not be seen
    bool operator==(const Sender&) const = default;
};

/// What the certificate of a server that was tried had to prove.
enum class Proof { name, address, nothing };

/// How a trial ended.
enum class Outcome {
    works,        // the server proved what it had to, and answered a question
    refused,      // it proved nothing of the kind
    unreachable,  // no connection, or one that broke
    silent,       // nothing came in time
    hung_up,      // it closed each connection before it showed who it is
    no_answer,    // it proved who it is, and did not answer
    not_tried,
};

/// One connection to one address by one protocol, and one question.
struct Trial {
    std::string alpn;
    Endpoint to;
    Proof proof = Proof::name;
    Outcome outcome = Outcome::not_tried;
    std::string why;  // for people; of what works too where it proved nothing
    std::optional<std::chrono::milliseconds> connected_after;  // TCP and TLS
    std::optional<std::chrono::milliseconds> answered_after;   // from the question on
    std::string tls_version;
};

/// A resolver that was offered, and how it fared.
struct Candidate {
    ResolverRecord told;
    std::vector<Trial> trials{};
};

/// One option, or those of one message that only mean something together, and what they say.
struct Offer {
    dns::Format format = dns::Format::rfc9463;
    Buffer octets;                         // as `porchlight options decode` takes them
    std::optional<std::string> malformed;  // why hosts discard it; then there is no resolver
    std::vector<Candidate> resolvers;
};

/// All that one sender told by one carrier.
struct Told {
    Carrier carrier = Carrier::dhcpv4;
    Sender from;
    std::vector<IpAddress> plain;  // resolvers that are asked in clear text
    std::vector<Offer> offers;
    /// By SVCB records: the name whose resolvers were asked for; none: those of the sender itself.
    std::optional<dns::Name> of_name{};
};

/// How many senders and offers of one are looked at: more is no network but an attack.
inline constexpr std::size_t senders_max = 32;
inline constexpr std::size_t offers_max = 32;

/// What a server's answer tells. Resolvers are good for the lease, where there is one.
Told told_by(const dhcp::V4Message& answer, Sender from);
/// Resolvers are good for the information's refresh time (RFC 8415 section 21.23).
Told told_by(const dhcp::V6Message& answer, Sender from);
Told told_by(const ra::Advertisement& advertisement, Sender from);

/// Adds what was heard. What the same sender told by the same carrier stays, for options may be
/// spread over several messages, unless it was told anew.
void add(std::vector<Told>& all, Told told);

/// "DHCPv4", "DHCPv6", "RA", "DDR", for people.
std::string_view title(Carrier carrier);
/// "dhcpv4", "dhcpv6", "ra", "svcb": as parse_carrier() takes them.
std::string_view name(Carrier carrier);

/// What programs that are known to look at the option make of a resolver that is well formed, one
/// sentence each; empty where they all use it.
std::vector<std::string> remarks(Carrier carrier, const ResolverRecord& resolver);

}  // namespace porchlight::agent::discover
