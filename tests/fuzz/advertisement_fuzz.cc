#include "check.h"
#include "ra/advertisement.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ra::Envelope envelope{*parse_ipv6("fe80::1"), 255};
    (void)ra::parse_solicitation({data, size}, envelope);
    const auto heard = ra::parse_advertisement({data, size}, envelope);
    if (!heard) return 0;
    Writer out;
    ra::write(out, *heard);
    check(*ra::parse_advertisement(*out.take(), envelope) == *heard);
    return 0;
}
