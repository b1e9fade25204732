#include "check.h"
#include "ra/draft_options.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (auto adn = ra::parse_ra_enc_adn({data, size})) check_round_trip(*adn, ra::parse_ra_enc_adn);
    if (auto addresses = ra::parse_ra_enc_addresses({data, size}))
        check_round_trip(*addresses, ra::parse_ra_enc_addresses);
    return 0;
}
