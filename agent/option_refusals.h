#pragma once

#include <optional>
#include <span>

#include "agent/option_codecs.h"
#include "agent/resolver_json.h"
#include "core/result.h"

namespace porchlight::agent {

/// More octets than an option's length field, or an SVCB record's, can tell of.
inline constexpr std::size_t option_octets_max = 0xffff;

/// Why one of `records` can't be told by a carrier in a form, or nothing: the place as a JSON
/// pointer, then a reason for people, such as "/1/addresses/0: 198.51.100.1 is no IPv6 address,
/// which dhcpv6 carries alone". Knows what a record needs, what has no words there, and what the
/// carrier's strict parser would refuse; not how long it all becomes.
std::optional<Error> why_not_encodable(Carrier carrier, dns::Format format,
                                       std::span<const ResolverRecord> records);

/// A refusal at a place.
Error refused_at(const std::string& place, const std::string& why);

}  // namespace porchlight::agent
