#include "check.h"
#include "dns/svc_params.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)dns::is_usable_dohpath(text_of({data, size}));
    Reader in({data, size});
    const dns::SvcParams params = dns::read_svc_params(in);
    if (!in.finished()) return 0;
    (void)dns::why_not_usable(params);
    Writer out;
    dns::write(out, params);
    check(equal(*out.take(), {data, size}));  // there is one way to write parameters
    return 0;
}
