#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace porchlight::dhcp {

/// A DHCPv4 option's length is one octet.
inline constexpr std::size_t option_octets_max = 255;

/// `payload` as options of one code, each with code and length, in as few pieces as can be
/// (RFC 3396 section 6). No payload is no option.
Buffer split_option(std::uint8_t code, Bytes payload);

/// Every option of a DHCPv4 message by its code, those of one code joined in the order of RFC 3396
/// section 5: the options field, then `file` and `sname` where option overload (52) puts options
/// there. `message` begins with the op octet. Fails with `malformed` if the options are.
Result<std::map<std::uint8_t, Buffer>> join_options(Bytes message);

/// What those of one code hold; empty if there is none.
Result<Buffer> join_option(Bytes message, std::uint8_t code);

}  // namespace porchlight::dhcp
