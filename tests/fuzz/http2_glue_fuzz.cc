#include "check.h"
#include "core/reader.h"
#include "forwarder/http2.h"
#include "forwarder/session.h"

using namespace porchlight;
using namespace porchlight::forwarder;

namespace {

constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t out_octets_max = 2 * 16384 + 1024;  // a record's worth, and one frame more
constexpr std::size_t answer_octets_max = 8192;

/// What leaves at once. A peer that never reads is another: then nothing is asked to leave.
void write_all(Http2& http, bool reads) {
    while (reads) {
        Writer out;
        const bool more = http.write(out);
        check(out.size() <= out_octets_max);
        if (!more) return;
    }
}

void answer_one(Http2& http, Session& session, std::size_t octets) {
    if (session.waiting.empty()) return;
    const std::int32_t stream = session.waiting.front();
    session.waiting.erase(session.waiting.begin());
    Writer* const answer = http.answer_to(stream);
    if (answer == nullptr) return;
    check(answer->size() == 0);
    answer->zeros(octets);
    http.answered(stream);
}

}  // namespace

// An octet says what happens, and with what: a client's octets come, which follow behind their
// count; an answer is found; time goes by; we take leave.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Sessions home;
    HttpExchanges exchanges;
    Session session(home);
    const std::unique_ptr<Http2> http = Http2::create(session, exchanges);
    check(http != nullptr);
    Reader in({data, size});
    bool reads = true, open = http->receive(bytes_of(preface)) != Http::Heard::broken;
    while (open && !in.empty()) {
        const std::uint8_t what = in.u8();
        const std::size_t count = what >> 3;
        switch (what & 7) {
            case 0:
                answer_one(*http, session, count * answer_octets_max / 31);
                break;
            case 1:
                home.advance(std::chrono::milliseconds(count * 1000));
                break;
            case 2:
                reads = count % 2 == 0;
                break;
            case 3:
                if (count == 31) http->end();
                break;
            default: {
                const std::size_t octets = std::size_t{what & 3u} << 8 | in.u8();
                const Bytes part = in.bytes(std::min(octets, in.size()));
                // In memory of its own, so that a read beyond it is seen.
                const Buffer chunk(part.begin(), part.end());
                open = http->receive(chunk) != Http::Heard::broken;
            }
        }
        write_all(*http, reads);
        check(session.waiting.size() <= home.limits().streams_per_connection_max + size);
        check(http->held() <= (home.limits().streams_per_connection_max + 1) * 65536);
    }
    // Whatever was found by then is still told, or nobody waits for it.
    while (!session.waiting.empty()) answer_one(*http, session, 12);
    write_all(*http, true);
    http->end();
    write_all(*http, true);
    return 0;
}
