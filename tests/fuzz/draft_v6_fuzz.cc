#include "check.h"
#include "dhcp/draft_v6.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto options = dhcp::parse_v6_options({data, size});
    if (!options) return 0;
    for (const auto& [code, octets] : *options) {
        if (auto adn = dhcp::parse_v6_enc_adn(octets))
            check_round_trip(*adn, dhcp::parse_v6_enc_adn);
        if (auto addresses = dhcp::parse_v6_enc_addresses(octets))
            check_round_trip(*addresses, dhcp::parse_v6_enc_addresses);
        if (auto doh = dhcp::parse_v6_doh_templates(octets))
            check_round_trip(*doh, dhcp::parse_v6_doh_templates);
    }
    const auto resolvers = dhcp::read_draft_v6(*options).resolvers;
    // What is told of them again fits into the options of the draft, or says why not.
    (void)dhcp::encode_draft_v6(dns::resolvers_of(resolvers), 8, size);
    return 0;
}
