#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dns/encrypted_resolver.h"

namespace porchlight::agent {

/// A resolver as an option tells of it: what the option doesn't say is absent.
struct ResolverRecord {
    std::optional<std::uint16_t> priority;
    std::optional<dns::Name> adn;
    std::vector<IpAddress> addresses;
    dns::SvcParams params;
    std::vector<std::string> templates;            // draft-btw-add-home-11 Figure 16
    std::optional<std::chrono::seconds> lifetime;  // Router Advertisements have one
    std::vector<std::string> request;              // ALPN ids: a client of the draft asks for them
    std::string request_of;                        // by which of DHCPv6's options
    std::optional<std::string> why_not_usable;     // written for people, not read back
    bool operator==(const ResolverRecord&) const = default;
};

/// A JSON array, one object a resolver, ASCII throughout. What is absent in the record is absent in
/// its object. docs/options.md describes the members.
std::string resolvers_to_json(std::span<const ResolverRecord> records);

/// The inverse; `usable` and `why` are read over. Any other unknown member is refused, so is one
/// that stands twice and every value that is not of its member's type. Fails with `malformed`, with
/// the place as a JSON pointer (RFC 6901) first: "/0/port: no integer from 0 to 65535".
Result<std::vector<ResolverRecord>> resolvers_from_json(std::string_view text);

/// The place of an object's member, or of an array's element, in such a pointer.
std::string pointer(std::string_view place, std::string_view member);
std::string pointer(std::string_view place, std::size_t element);

/// Octets from pairs of hexadecimal digits, with blanks, line ends or colons between them; nothing
/// for anything else.
std::optional<Buffer> octets_from_hex(std::string_view text);

}  // namespace porchlight::agent
