#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/bytes.h"
#include "dns/encrypted_resolver.h"

namespace porchlight::dhcp {

/// The payload of DHCPv4 option 162, and who is not in it and why. Empty: there is nobody to tell
/// of, so send no option.
struct EncodedV4 {
    Buffer payload;
    std::vector<dns::LeftOut> left_out;
};

/// The instances that `room` octets hold, the most preferred first; one that does not fit leaves
/// its place to a shorter one. Each was read again by parse_v4_dnr and compared.
EncodedV4 encode_v4(std::span<const dns::EncryptedResolver> resolvers, std::size_t room);

/// The data of DHCPv6 options 144, and who is not among them and why.
struct EncodedV6 {
    std::vector<Buffer> options;
    std::vector<dns::LeftOut> left_out;
};

/// Options for the most preferred resolvers, at most `count_max` of at most `room` octets each.
/// Each was read again by parse_v6_dnr and compared.
EncodedV6 encode_v6(std::span<const dns::EncryptedResolver> resolvers, std::size_t count_max,
                    std::size_t room);

}  // namespace porchlight::dhcp
