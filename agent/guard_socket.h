#pragma once

#include <cstddef>

#include "core/file_descriptor.h"
#include "core/result.h"

namespace porchlight::agent {

/// Whole frames come up to here, which is more than Ethernet's longest.
inline constexpr std::size_t guard_frame_octets_max = 10240;

/// An AF_PACKET socket that is shown, of all frames that come in at an interface, those that may be
/// a Router Advertisement or from a DHCP server, however wrapped; see net/frame.h. Who gets it
/// can't make it show more. It is non-blocking, closed on exec, and changes nothing for the frames.
/// Also a bridge's port may be listened at: what comes there is seen before the bridge has it.
/// Fails with `denied` without CAP_NET_RAW, `unavailable` where there is no such interface.
Result<FileDescriptor> open_guard_socket(unsigned index);

}  // namespace porchlight::agent
