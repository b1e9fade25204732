#include "check.h"
#include "dns/answer.h"
#include "forwarder/rebinding.h"

using namespace porchlight;
using forwarder::Judgement;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Reader in({data, size});
    in.bytes(12);  // the header
    dns::Question asked;
    asked.name = dns::read_name(in);
    asked.type = in.u16();
    Buffer message(data, data + size);
    auto answer = dns::parse_answer(message, asked, {});
    if (!answer || answer->truncated) return 0;
    dns::clean(message, *answer, {});
    const Judgement judgement = forwarder::judge({}, asked, message);
    const Judgement unblocked = forwarder::judge({.block = false}, asked, message);
    check((judgement == Judgement::foreign) == (unblocked == Judgement::foreign));
    check(unblocked == Judgement::foreign || unblocked == Judgement::pass);
    if (judgement != Judgement::pass_without_additional) return 0;
    dns::cut_additional(message, *answer);
    check(bool(dns::parse_answer(message, asked, {})));
    check(forwarder::judge({}, asked, message) == Judgement::pass);
    return 0;
}
