#include "check.h"
#include "ra/pvd_option.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto pvd = ra::parse_pvd_option({data, size}))
        check_round_trip(*pvd, ra::parse_pvd_option);
    return 0;
}
