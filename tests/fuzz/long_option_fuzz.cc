#include "check.h"
#include "dhcp/long_option.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)dhcp::join_option({data, size}, 162);
    Buffer message(236);
    for (std::uint8_t octet : {0x63, 0x82, 0x53, 0x63}) message.push_back(octet);
    const Buffer options = dhcp::split_option(162, {data, size});
    message.insert(message.end(), options.begin(), options.end());
    check(equal(*dhcp::join_option(message, 162), {data, size}));
    return 0;
}
