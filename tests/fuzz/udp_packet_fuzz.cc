#include "check.h"
#include "net/udp_packet.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto packet = net::parse_udp_packet({data, size});
    if (!packet) return 0;
    Writer out;
    write(out, *packet);
    const auto again = net::parse_udp_packet(out.view());
    check(again && again->source == packet->source &&
          equal(again->datagram.payload, packet->datagram.payload));
    return 0;
}
