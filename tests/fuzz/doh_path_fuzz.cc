#include "check.h"
#include "dns/doh_path.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    for (char c : dns::expand_dohpath(text_of({data, size}), "AAAB")) check(c > ' ' && c < 0x7f);
    return 0;
}
