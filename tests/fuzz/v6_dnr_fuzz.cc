#include "check.h"
#include "dhcp/v6_dnr.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto dnr = dhcp::parse_v6_dnr({data, size});
    if (dnr) check_round_trip(*dnr, dhcp::parse_v6_dnr);
    return 0;
}
