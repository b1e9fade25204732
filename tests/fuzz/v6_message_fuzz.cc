#include "check.h"
#include "dhcp/v6_message.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto message = dhcp::parse_v6_message({data, size}))
        check_round_trip(*message, dhcp::parse_v6_message);
    return 0;
}
