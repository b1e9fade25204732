#include "agent/resolver_json.h"
#include "check.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto records = agent::resolvers_from_json(text_of({data, size}));
    if (records) check(*agent::resolvers_from_json(agent::resolvers_to_json(*records)) == *records);
    return 0;
}
