#include "check.h"
#include "dhcp/draft_v4.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto instances = dhcp::parse_v4_enc_dns({data, size});
    if (!instances) return 0;
    Writer out;
    for (const dhcp::V4EncDns& instance : *instances) dhcp::write(out, instance);
    check(*dhcp::parse_v4_enc_dns(*out.take()) == *instances);
    return 0;
}
