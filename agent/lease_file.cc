#include "agent/lease_file.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace porchlight::agent {

void LeaseFile::follow(const std::string& path, Clock::time_point now) {
    if (path == path_) return;
    path_ = path;
    changes_.reset();
    due_ = Clock::time_point::max();
    if (path_.empty()) return;
    changes_ = FileDescriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    forget(now);
}

void LeaseFile::forget(Clock::time_point now) {
    if (!path_.empty()) due_ = now;
}

void LeaseFile::on_change(Clock::time_point now) {
    // What happened does not matter: the file is read as a whole.
    std::array<char, 4096> events;
    while (::read(changes_.get(), events.data(), events.size()) > 0) {
    }
    due_ = std::min(due_, std::max(now + settle, not_before_));
}

std::optional<Result<Buffer>> LeaseFile::read(Storage& storage, Clock::time_point now) {
    if (now < due_) return std::nullopt;
    // Before reading, so that no change is missed. Another file of that name may be there since.
    const bool watched =
        changes_ && ::inotify_add_watch(changes_.get(), path_.c_str(),
                                        IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) >= 0;
    auto content = storage.read(path_);
    not_before_ = now + pause;
    due_ = now + (watched && content ? Clock::duration(looked_again) : tried_again);
    return content;
}

}  // namespace porchlight::agent
