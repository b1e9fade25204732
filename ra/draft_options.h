#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"
#include "dns/draft_resolver.h"

// The Neighbor Discovery options of draft-btw-add-home-11, each whole: type, length, padding. Their
// types are settings, because none was ever assigned. The Lifetime stands where RFC 9463 has it.

namespace porchlight::ra {

/// The ADN option (Figure 14). The name has no length field: it ends at its root label.
struct RaEncAdn {
    std::uint8_t type = dns::DraftCodePoints().ra_adn;
    std::uint8_t flags = 0;            // of dns::DraftFlag, at least one
    std::chrono::seconds lifetime{0};  // 0 to 0xffffffff, for ever; 0: stop using it now
    dns::Name adn;
    bool operator==(const RaEncAdn&) const = default;
};

Result<RaEncAdn> parse_ra_enc_adn(Bytes option);
void write(Writer& out, const RaEncAdn& adn);

/// The address option (Figure 15). Its fields never fill units of 8 octets; the draft is silent, so
/// 4 zeros stand at the end, and a reader wants them. Received addresses that no host could use are
/// dropped; an option left without any is refused.
struct RaEncAddresses {
    std::uint8_t type = dns::DraftCodePoints().ra_addresses;
    std::chrono::seconds lifetime{0};  // as above
    std::uint8_t flags = 0;            // of dns::DraftFlag, at least one
    std::uint16_t port = 0;            // for all protocols; 0: the default of each
    std::vector<Ipv6> addresses;       // at most 126
    bool operator==(const RaEncAddresses&) const = default;
};

Result<RaEncAddresses> parse_ra_enc_addresses(Bytes option);
void write(Writer& out, const RaEncAddresses& addresses);

/// What an advertisement tells. Each option is judged on its own: a bad one hurts no other.
struct DraftReceived {
    std::vector<dns::DraftResolver> resolvers;
    std::vector<Error> malformed;
};

/// From an advertisement's options; those of other types are passed over.
DraftReceived read_draft(std::span<const Buffer> options, const dns::DraftCodePoints& codes = {});

/// The options for one resolver: for its name and its addresses, as far as it has them. Without a
/// lifetime it is 0. Fails with `refused` where a field can't say it.
Result<std::vector<Buffer>> draft_options(const dns::DraftResolver& resolver,
                                          const dns::DraftCodePoints& codes = {});

/// Options to be sent in this order, and who is not among them and why. Each group is one
/// resolver's, name first, and must not be spread over several advertisements: hosts find the two
/// options of a resolver in one message only.
struct EncodedDraft {
    std::vector<std::vector<Buffer>> groups;
    std::vector<dns::LeftOut> left_out;
};

/// One group for each resolver with an IPv6 address, the most preferred first, of at most `room`
/// octets: what one advertisement holds. All were read again by read_draft and compared.
EncodedDraft encode_draft(std::span<const dns::EncryptedResolver> resolvers,
                          std::chrono::seconds lifetime, std::size_t room,
                          const dns::DraftCodePoints& codes = {});

}  // namespace porchlight::ra
