#include "check.h"
#include "dhcp/wan_options.h"

using namespace porchlight;

/// The first octet says which family, and whether the draft's form counts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    dns::Forms forms;
    if ((data[0] & 2) != 0) forms.formats.push_back(dns::Format::draft_btw_11);
    if ((data[0] & 4) != 0) forms.code_points.enterprise = 1;
    const Bytes octets(data + 1, size - 1);
    if ((data[0] & 1) == 0) {
        const dhcp::WanOptions read = dhcp::read_wan_v6(octets, forms);
        for (const auto& option : read.refused) check(!option.why.empty());
        check(read.resolvers.size() <= size && read.plain.size() <= size / 16);
        return 0;
    }
    const Buffer payload(octets.begin(), octets.end());
    for (const std::uint8_t code : {6, 162, 230}) {
        const std::vector<dhcp::V4Option> told{{code, payload}};
        const dhcp::WanOptions read = dhcp::read_wan_v4(told, forms);
        for (const auto& option : read.refused) check(option.octets == payload);
        // A bad part spoils the option: there is the one or the other.
        check(read.refused.empty() || (read.resolvers.empty() && read.plain.empty()));
    }
    return 0;
}
