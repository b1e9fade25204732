#include "check.h"
#include "ra/dnr_option.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto dnr = ra::parse_dnr_option({data, size});
    if (dnr) check_round_trip(*dnr, ra::parse_dnr_option);
    return 0;
}
