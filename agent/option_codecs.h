#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/resolver_json.h"
#include "core/bytes.h"
#include "core/result.h"
#include "dns/format.h"

namespace porchlight::agent {

/// What can carry an encrypted resolver.
enum class Carrier { dhcpv4, dhcpv6, ra, svcb };

/// The names that parse_carrier knows, for people.
inline constexpr std::string_view carrier_names = "dhcpv4, dhcpv6, ra or svcb";

std::optional<Carrier> parse_carrier(std::string_view text);

/// The names that parse_option_format knows, for people.
inline constexpr std::string_view option_format_names = "rfc9463 or draft-btw-11";

/// SVCB is the same in both.
std::optional<dns::Format> parse_option_format(std::string_view text);

/// Whose options they are, and for the draft's where they stand: only whole options have a code.
struct OptionForm {
    dns::Format format = dns::Format::rfc9463;
    dns::DraftCodePoints code_points = {};
};

/// The resolvers that the options tell of. Each is one option as its carrier
/// has it: the data of a DHCPv4 option 162, several being pieces of one (RFC 3396); the data of a
/// DHCPv6 option 144; a whole RA option; the RDATA of an SVCB record, whose TargetName stands for
/// the ADN. The draft has two or three options for one resolver in DHCPv6 and RA: there each is a
/// run of whole options, with code and length. Its DHCP options may instead be those of a client
/// that asks (dhcp/draft_request.h). Fails with `malformed`.
Result<std::vector<ResolverRecord>> resolvers_of_options(Carrier carrier,
                                                         std::span<const Buffer> options,
                                                         const OptionForm& form = {});

/// The same as JSON (see agent/resolver_json.h).
Result<std::string> decode_options(Carrier carrier, std::span<const Buffer> options,
                                   const OptionForm& form = {});

/// The inverse: one option for each resolver, for DHCPv4 one for all; in the draft's DHCPv6 and RA
/// one for each of a resolver's parts, its name first. Encodes what it is told, useful or not, as
/// long as decode_options would read the same from it. Fails with `malformed` where the JSON is no
/// list of resolvers, with `refused` where this carrier has no words for one; either way with the
/// place as a JSON pointer first.
Result<std::vector<Buffer>> encode_options(Carrier carrier, std::string_view json,
                                           const OptionForm& form = {});

}  // namespace porchlight::agent
