#pragma once

#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/file_descriptor.h"
#include "core/result.h"
#include "core/storage.h"

namespace porchlight::agent {

/// A file that another program writes in place, such as dnsmasq's leases: says when to read it
/// again. Hosts can make that program write as often as they like, so it is not read on each
/// change.
class LeaseFile {
  public:
    /// Writing may go on for a moment, and the next reading waits for longer.
    static constexpr std::chrono::milliseconds settle{100};
    static constexpr std::chrono::seconds pause{2};
    /// Also unchanged: leases end.
    static constexpr std::chrono::minutes looked_again{10};
    /// Where there is none yet, or it can't be read.
    static constexpr std::chrono::seconds tried_again{10};

    /// From now on this one; empty: none. It is due at once where that is news.
    void follow(const std::string& path, Clock::time_point now);
    /// Whoever was told of it is not there any more.
    void forget(Clock::time_point now);
    /// For poll(): readable when the file changed. Below 0: there is nothing to wait for.
    int descriptor() const { return changes_.get(); }
    void on_change(Clock::time_point now);
    Clock::time_point due() const { return due_; }
    /// What it says, where that is due.
    std::optional<Result<Buffer>> read(Storage& storage, Clock::time_point now);

  private:
    std::string path_;
    FileDescriptor changes_;  // inotify
    Clock::time_point due_ = Clock::time_point::max();
    Clock::time_point not_before_{};
};

}  // namespace porchlight::agent
