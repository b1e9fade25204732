#include "check.h"
#include "dns/svcb.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto svcb = dns::parse_svcb({data, size});
    if (!svcb) return 0;
    (void)dns::why_not_usable(*svcb);
    Writer out;
    dns::write(out, *svcb);
    check(equal(*out.take(), {data, size}));  // there is one way to write a record
    return 0;
}
