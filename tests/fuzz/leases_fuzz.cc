#include "agent/leases.h"
#include "check.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check_round_trip(
        agent::parse_lease_file(text_of({data, size}), WallTime(std::chrono::seconds(1763782401))),
        agent::parse_leases);
    return 0;
}
