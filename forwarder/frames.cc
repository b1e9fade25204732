#include "forwarder/frames.h"

namespace porchlight::forwarder {

std::size_t whole_frames(Bytes octets, std::size_t octets_max) {
    if (octets.size() <= octets_max) return octets.size();
    std::size_t end = 0;
    while (octets.size() - end >= frame_length_octets) {
        const std::size_t length = static_cast<std::size_t>(octets[end] << 8 | octets[end + 1]);
        const std::size_t next = end + frame_length_octets + length;
        if (next > octets.size() || (end != 0 && next > octets_max)) break;
        end = next;
    }
    return end != 0 ? end : octets.size();
}

}  // namespace porchlight::forwarder
