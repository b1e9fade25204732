#include "agent/option_codecs.h"
#include "check.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // The first octet says what the rest is.
    const auto carrier = static_cast<agent::Carrier>(data[0] & 3);
    const auto format = (data[0] & 4) != 0 ? dns::Format::draft_btw_11 : dns::Format::rfc9463;
    const std::vector<Buffer> options{Buffer(data + 1, data + size)};
    const auto json = agent::decode_options(carrier, options, format);
    if (!json) return 0;
    // Names and addresses that overlap in part pair differently once each has its own flags.
    const auto again = agent::encode_options(carrier, *json, format);
    if (format == dns::Format::rfc9463) check(bool(again));
    if (again) check(agent::decode_options(carrier, *again, format).value() == *json);
    return 0;
}
