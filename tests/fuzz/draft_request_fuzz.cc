#include "check.h"
#include "dhcp/draft_request.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto request = dhcp::parse_draft_request({data, size});
    if (!request) return 0;
    check(dhcp::is_draft_request({data, size}));
    check_round_trip(*request, dhcp::parse_draft_request);
    return 0;
}
