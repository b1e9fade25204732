#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"
#include "dhcp/draft_v6.h"

namespace porchlight::dhcp {

inline constexpr std::uint16_t vendor_opts_code = 17;

/// OPTION_VENDOR_OPTS without its code and length (RFC 8415 section 21.17): options of an
/// organization's own, numbered by itself.
struct VendorOpts {
    std::uint32_t enterprise = 0;  // the organization's number at IANA
    std::vector<V6Option> options;
    bool operator==(const VendorOpts&) const = default;
};

/// Strict: the sub-options fill the option. What they hold is not looked at; there may be none.
Result<VendorOpts> parse_vendor_opts(Bytes option);

void write(Writer& out, const VendorOpts& vendor);

/// Where the draft's DHCPv6 options stand in a message or, under an enterprise's number, among its
/// sub-options: 1 for names, 2 for addresses, 3 for templates.
dns::DraftCodePoints within(const dns::DraftCodePoints& codes);

}  // namespace porchlight::dhcp
