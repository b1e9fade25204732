#include "check.h"
#include "dns/name.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Reader in({data, size});
    const dns::Name name = dns::read_name(in);
    if (!in.failed()) check(*dns::parse_name(dns::to_text(name)) == name);
    const auto typed = dns::parse_name(text_of({data, size}));
    if (typed) check(*dns::parse_name(dns::to_text(*typed)) == *typed);
    return 0;
}
