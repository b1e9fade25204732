#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"
#include "dns/draft_resolver.h"

// The DHCPv6 options of draft-btw-add-home-11, each without its code and length. Parsers are
// strict.

namespace porchlight::dhcp {

/// OPTION_V6_ENC_ADN (Figure 7): a name, to the option's end.
struct V6EncAdn {
    std::uint8_t flags = 0;  // of dns::DraftFlag, at least one
    dns::Name adn;
    bool operator==(const V6EncAdn&) const = default;
};

Result<V6EncAdn> parse_v6_enc_adn(Bytes option);
void write(Writer& out, const V6EncAdn& adn);

/// OPTION_V6_ENC_ADD (Figure 10). Received addresses that no host could use are dropped; an option
/// left without any is refused.
struct V6EncAddresses {
    std::uint8_t flags = 0;  // of dns::DraftFlag, at least one
    std::uint16_t port = 0;  // for all protocols; 0: the default of each
    std::vector<Ipv6> addresses;
    bool operator==(const V6EncAddresses&) const = default;
};

Result<V6EncAddresses> parse_v6_enc_addresses(Bytes option);
void write(Writer& out, const V6EncAddresses& addresses);

/// OPTION_V6_DOH_TEMPLATE (Figure 16): URI templates (RFC 6570), at least one, none empty. What is
/// UTF-8 without NUL is well formed; whether it can be used, dns::parse_doh_template says.
struct V6DohTemplates {
    std::vector<std::string> templates;
    bool operator==(const V6DohTemplates&) const = default;
};

Result<V6DohTemplates> parse_v6_doh_templates(Bytes option);
void write(Writer& out, const V6DohTemplates& templates);

/// One option of a message.
struct V6Option {
    std::uint16_t code = 0;
    Buffer data;
    bool operator==(const V6Option&) const = default;
};

/// What a run of whole options, each with code and length, holds. Fails with `malformed`.
Result<std::vector<V6Option>> parse_v6_options(Bytes octets);
void write(Writer& out, const V6Option& option);

/// What a message tells. Each option is judged on its own: a bad one hurts no other.
struct DraftReceivedV6 {
    std::vector<dns::DraftResolver> resolvers;
    std::vector<Error> malformed;
};

/// From a message's options; those of other codes are passed over.
DraftReceivedV6 read_draft_v6(std::span<const V6Option> options,
                              const dns::DraftCodePoints& codes = {});

/// The options for one resolver: for its name, its addresses and its templates, as far as it has
/// them. Fails with `refused` where a length field can't say it.
Result<std::vector<V6Option>> draft_v6_options(const dns::DraftResolver& resolver,
                                               const dns::DraftCodePoints& codes = {});

/// Options to be sent in this order, and who is not among them and why.
struct EncodedDraftV6 {
    std::vector<V6Option> options;
    std::vector<dns::LeftOut> left_out;
};

/// Options for the most preferred resolvers, at most `count_max`, each option with at most `room`
/// octets of data. All were read again by read_draft_v6 and compared.
EncodedDraftV6 encode_draft_v6(std::span<const dns::EncryptedResolver> resolvers,
                               std::size_t count_max, std::size_t room,
                               const dns::DraftCodePoints& codes = {});

}  // namespace porchlight::dhcp
