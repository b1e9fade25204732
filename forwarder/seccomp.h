#pragma once

#include "core/result.h"

namespace porchlight::forwarder {

/// From now on no thread of this process can make the kernel do anything but what the forwarder
/// needs: no file is opened, no program started, no memory made executable. Anything else fails
/// with ENOSYS and leaves a line in the kernel's log. Can't be taken back. `denied` where the
/// kernel has no such filter; a build with a sanitizer does without, because those need more.
Result<void> restrict_system_calls();

}  // namespace porchlight::forwarder
