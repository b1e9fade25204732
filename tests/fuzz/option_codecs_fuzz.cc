#include "agent/option_codecs.h"
#include "check.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // The first octet says what the rest is.
    const auto carrier = static_cast<agent::Carrier>(data[0] & 3);
    const agent::OptionForm form{(data[0] & 4) != 0 ? dns::Format::draft_btw_11
                                                    : dns::Format::rfc9463};
    const Bytes rest(data + 1, size - 1);
    if ((data[0] & 8) != 0) {
        // JSON that a person wrote is encoded, or refused with a reason of its own.
        const auto options = agent::encode_options(carrier, text_of(rest), form);
        check(options || options.error().code != Errc::internal);
        return 0;
    }
    const std::vector<Buffer> options{Buffer(rest.begin(), rest.end())};
    const auto json = agent::decode_options(carrier, options, form);
    if (!json) return 0;
    // Names and addresses that overlap in part pair differently once each has its own flags.
    const auto again = agent::encode_options(carrier, *json, form);
    if (form.format == dns::Format::rfc9463) check(bool(again));
    if (again) check(agent::decode_options(carrier, *again, form).value() == *json);
    return 0;
}
