#include "agent/rogues.h"
#include "check.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes octets(data, size);
    const auto frame = net::parse_frame(octets);
    if (!frame) return 0;
    // What is borrowed lies in what was parsed.
    check(frame->octets.empty() || (frame->octets.data() > octets.data() &&
                                    frame->octets.data() + frame->octets.size() <= data + size));
    const auto message = agent::server_message(*frame);
    if (!message) return 0;
    const auto rogue = agent::judge(*frame, *message, {"br-lan", "lan1", 1}, {});
    check(rogue && rogue->resolvers.size() <= agent::Rogue::resolvers_max);
    check(!agent::sentence(*rogue).empty());
    return 0;
}
