#pragma once

#include "core/bytes.h"
#include "core/writer.h"

namespace porchlight::forwarder {

/// Messages on a stream: each behind its length in two octets (RFC 1035 section 4.2.2).
constexpr std::size_t frame_length_octets = 2;

/// Writes what `body` appends as one message of a stream; a message of nothing leaves no trace.
template <class Body>
void framed(Writer& out, Body body) {
    const std::size_t start = out.size();
    out.u16(0);
    body();
    const std::size_t length = out.size() - start - frame_length_octets;
    if (length == 0) return out.truncate(start);
    out.patch_u16(start, length);
}

/// The size of as many frames in front of `octets` as have room in `octets_max`, the first in any
/// case. `octets` are whole frames, at least one.
std::size_t whole_frames(Bytes octets, std::size_t octets_max);

}  // namespace porchlight::forwarder
