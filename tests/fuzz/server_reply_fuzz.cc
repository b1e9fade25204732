#include "check.h"
#include "dhcp/server_reply.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto four = dhcp::parse_v4_server_reply({data, size});
    const auto six = dhcp::parse_v6_server_reply({data, size});
    // An address takes four octets of its message at least.
    check(!four || four->plain.size() <= size / 4);
    check(!six || six->plain.size() <= size / 16);
    return 0;
}
