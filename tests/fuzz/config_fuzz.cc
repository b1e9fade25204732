#include "agent/config.h"
#include "check.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const agent::ConfigResult result = agent::parse_config("fuzz.json", {data, size});
    check(result.config.has_value() == result.complaints.empty());
    for (const agent::Complaint& complaint : result.complaints) (void)agent::to_text(complaint);
    return 0;
}
