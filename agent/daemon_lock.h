#pragma once

#include <chrono>
#include <string>

#include "core/file_descriptor.h"
#include "core/result.h"

namespace porchlight::agent {

/// The lock that a daemon holds for as long as it lives; `withdraw` takes it to be sure that none
/// does. Waits at most `within`, then fails with `refused`. Makes the file if it is not there.
Result<FileDescriptor> take_daemon_lock(const std::string& path, std::chrono::milliseconds within);

}  // namespace porchlight::agent
