#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"
#include "dhcp/encoded.h"
#include "dns/draft_resolver.h"

namespace porchlight::dhcp {

/// One resolver within OPTION_V4_ENC_DNS (draft-btw-add-home-11 Figures 11 to 13).
struct V4EncDns {
    std::uint8_t flags = 0;       // of dns::DraftFlag, at least one
    std::uint16_t port = 0;       // for all protocols; 0: the default of each
    std::vector<Ipv4> addresses;  // 1 to 255
    dns::Name adn;
    bool operator==(const V4EncDns&) const = default;
};

/// Strict. The draft has several options for several resolvers, but RFC 3396, which it asks for,
/// joins them: so `payload`, what all options of the code hold, is a run of instances, and where
/// the name of one ends the next begins. Addresses that no host could use are dropped; an instance
/// left without any spoils the option.
Result<std::vector<V4EncDns>> parse_v4_enc_dns(Bytes payload);

void write(Writer& out, const V4EncDns& instance);

V4EncDns v4_enc_dns(const dns::DraftResolver& resolver);
dns::DraftResolver draft_resolver_of(const V4EncDns& instance);

/// The instance's octets, unless parse_v4_enc_dns makes something else of them.
Result<Buffer> encode_checked(const V4EncDns& instance);

/// The instances that `room` octets hold, the most preferred first; one that does not fit leaves
/// its place to a shorter one. All were read again by parse_v4_enc_dns and compared.
EncodedV4 encode_draft_v4(std::span<const dns::EncryptedResolver> resolvers, std::size_t room);

}  // namespace porchlight::dhcp
