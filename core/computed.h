#pragma once

#include <time.h>

#include <chrono>

namespace porchlight {

/// What the calling thread has computed since it began, by the kernel's count. A system call.
inline std::chrono::nanoseconds thread_computed() {
    timespec computed{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &computed);
    return std::chrono::seconds(computed.tv_sec) + std::chrono::nanoseconds(computed.tv_nsec);
}

}  // namespace porchlight
