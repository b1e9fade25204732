#include "check.h"
#include "dns/query.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    dns::Query query;
    if (dns::parse_query({data, size}, query) == dns::Verdict::answer)
        check(dns::question_of(query) == dns::question_of(query));
    return 0;
}
