#include "check.h"
#include "ra/heard_offers.h"

using namespace porchlight;

/// Advertisements, one behind the other: an octet of who sends it, an octet of how many units of 8
/// it has, the message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ra::HeardOffers heard;
    dns::Forms forms;
    forms.formats = {dns::Format::rfc9463, dns::Format::draft_btw_11};
    heard.set_forms(forms);
    Reader in(Bytes(data, size));
    Clock::time_point now = Clock::time_point(std::chrono::hours(1));
    while (in.size() > 2) {
        Ipv6 router = *parse_ipv6("fe80::");
        router.octets[15] = in.u8();
        const std::size_t octets = std::min<std::size_t>(in.u8() * 8U, in.size());
        heard.on_message(in.bytes(octets), {router, 255}, now);
        now += std::chrono::seconds(1);
        check(heard.routers(now).size() <= ra::HeardOffers::routers_max);
        for (const auto& one : heard.offered(now)) check(one.until > now - std::chrono::seconds(1));
        const auto next = heard.next_end(now);
        check(next > now);
    }
    return 0;
}
