#pragma once

#include <string>
#include <vector>

#include "ra/advertisement.h"

namespace porchlight::ra {

/// The plain resolvers of an option that is known to be of type 25 (RFC 8106 section 5.1); what is
/// too short at its end is left out.
std::vector<Ipv6> rdnss_addresses(const Buffer& option);

/// The resolvers that an option tells of, for people: "fd00::53" of a plain one (RFC 8106 section
/// 5.1), "dns.example at fd00::53" of an encrypted one (RFC 9463 section 6.1). Of another type, or
/// malformed: nothing.
std::vector<std::string> resolvers_in(const Buffer& option);

}  // namespace porchlight::ra
