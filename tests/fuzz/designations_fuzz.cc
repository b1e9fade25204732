#include "check.h"
#include "dns/designations.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto found = dns::parse_designations({data, size}, dns::designation_question());
    if (!found) return 0;
    for (const dns::Designation& one : *found) {
        check(one.rdata.size() <= size);
        if (!one.malformed) check_round_trip(one.svcb, dns::parse_svcb);
    }
    return 0;
}
