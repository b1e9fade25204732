#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/reader.h"
#include "core/result.h"
#include "core/writer.h"
#include "dns/encrypted_resolver.h"

namespace porchlight::ra {

inline constexpr std::uint8_t dnr_option_type = 144;
inline constexpr std::size_t dnr_option_octets_max = 255 * 8;

/// Neighbor Discovery option 144 "Encrypted DNS" (RFC 9463 section 6). One option is one resolver.
struct DnrOption {
    /// Hosts keep it until told otherwise.
    static constexpr std::chrono::seconds for_ever{0xffffffff};

    std::uint16_t priority = 1;
    std::chrono::seconds lifetime{0};  // 0 to for_ever; 0: stop using it now
    dns::Name adn;                     // authentication domain name, never compressed
    std::vector<Ipv6> addresses;       // empty: ADN-only mode, and then no params
    dns::SvcParams params;
    bool operator==(const DnrOption&) const = default;
};

/// Strict. `option` is the whole option with type, length and padding. Addresses that no host
/// could use are dropped; an option left without any is refused.
Result<DnrOption> parse_dnr_option(Bytes option);

/// The whole option, padded with zeros to a multiple of 8. Above `dnr_option_octets_max` the
/// writer's take() fails.
void write(Writer& out, const DnrOption& dnr);

/// Whether nothing but padding follows in an option: less than its Length counts in, and zero (RFC
/// 9463 section 6.1). By value: the caller's reader stays where it is.
bool only_padding_left(Reader in);

/// The resolver as this carrier can tell of it: IPv6 addresses only.
DnrOption dnr_option(const dns::EncryptedResolver& resolver, std::chrono::seconds lifetime);
dns::EncryptedResolver resolver_of(const DnrOption& dnr);

/// Why a host can't use what it received, or nothing: it is taken back (lifetime 0), or what
/// dns::why_not_usable says of the resolver.
std::optional<std::string> why_not_usable(const DnrOption& dnr);

/// Options ready to be sent, the most preferred first, and who is not among them and why.
struct Encoded {
    std::vector<Buffer> options;
    std::vector<dns::LeftOut> left_out;
};

/// One option of at most `room` octets for each resolver that has an IPv6 address or is ADN-only.
/// What is encoded was read again by parse_dnr_option and compared.
Encoded encode(std::span<const dns::EncryptedResolver> resolvers, std::chrono::seconds lifetime,
               std::size_t room = dnr_option_octets_max);

}  // namespace porchlight::ra
