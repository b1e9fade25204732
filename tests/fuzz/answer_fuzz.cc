#include "check.h"
#include "dns/answer.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Reader in({data, size});
    in.bytes(12);  // the header
    dns::Question asked;
    asked.name = dns::read_name(in);
    asked.type = in.u16();
    Buffer message(data, data + size);
    auto answer = dns::parse_answer(message, asked, {});
    if (!answer) return 0;
    dns::clean(message, *answer, {});
    check(message.size() <= size);
    if (answer->truncated) return 0;  // its records were not looked at
    check(bool(dns::parse_answer(message, asked, {})));
    dns::for_each_ttl(message, [&](std::size_t at) { check(at + 4 <= message.size()); });
    return 0;
}
