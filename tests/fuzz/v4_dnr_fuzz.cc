#include "check.h"
#include "dhcp/v4_dnr.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto dnr = dhcp::parse_v4_dnr({data, size});
    if (!dnr) return 0;
    Writer out;
    dhcp::write(out, *dnr);
    check(*dhcp::parse_v4_dnr(*out.take()) == *dnr);
    return 0;
}
