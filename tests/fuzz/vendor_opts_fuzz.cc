#include "check.h"
#include "dhcp/vendor_opts.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto vendor = dhcp::parse_vendor_opts({data, size}))
        check_round_trip(*vendor, dhcp::parse_vendor_opts);
    return 0;
}
