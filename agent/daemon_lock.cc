#include "agent/daemon_lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "core/clock.h"

namespace porchlight::agent {

Result<FileDescriptor> take_daemon_lock(const std::string& path, std::chrono::milliseconds within) {
    FileDescriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock) return Error{Errc::denied, "cannot open " + path + ": " + std::strerror(errno)};
    const auto until = Clock::now() + within;
    while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (Clock::now() >= until)
            return Error{Errc::refused, "a porchlight runs here: it holds " + path};
        ::poll(nullptr, 0, 20);
    }
    return lock;
}

}  // namespace porchlight::agent
