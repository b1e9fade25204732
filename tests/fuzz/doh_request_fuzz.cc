#include "check.h"
#include "core/reader.h"
#include "forwarder/doh_answer.h"
#include "forwarder/doh_request.h"

using namespace porchlight;
using namespace porchlight::forwarder;

// Octets before each field say how long it is; the first field is the method, the second the
// target, then come fields in pairs, then the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::string> paths{"/dns-query", "/q"}, devices{"tv"};
    Reader in({data, size});
    // Text of its own memory, so that a read beyond it is seen.
    const auto text = [&](Reader& part) {
        const Bytes octets = part.bytes(std::min<std::size_t>(part.u8(), part.size()));
        return Buffer(octets.begin(), octets.end());
    };
    const Buffer method = text(in), target = text(in);
    DohRequest request;
    request.set_method(text_of(method));
    request.set_target(text_of(target), paths, devices);
    for (std::uint8_t pairs = in.u8() % 4; pairs > 0; --pairs) {
        const Buffer name = text(in), value = text(in);
        request.add_field(text_of(name), text_of(value));
    }
    const std::optional<HttpStatus> head = request.judge_head();
    if (head == HttpStatus::ok) check(request.message().size() <= target.size());
    if (!head) {
        check(request.message().empty());
        check(request.add_body(in.rest()));
        check(request.judge_body() == HttpStatus::ok);
    }
    // Nobody's message is ours, but one with octets like these may have been kept.
    DohFields fields;
    const Bytes message = request.message();
    fields.set(head.value_or(HttpStatus::ok), message);
    check(fields.status().size() == 3);
    return 0;
}
