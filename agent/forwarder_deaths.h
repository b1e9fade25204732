#pragma once

#include <string>
#include <vector>

#include "agent/suspects.h"
#include "core/bytes.h"
#include "core/file_descriptor.h"
#include "core/result.h"

namespace porchlight::agent {

/// What the keeper makes of the forwarder's deaths: whom it was serving, and who is kept out since.
class ForwarderDeaths {
  public:
    /// Makes the page in which the forwarder notes whom it serves.
    Result<void> prepare();
    int page() const { return page_.get(); }

    /// It ended with `status` (wait(2)): reads the page. Only a fault of its own makes a suspect,
    /// or that it hung; `killed_by_us`: that was why.
    void note(int status, bool killed_by_us, Clock::time_point now);
    /// The body of Control::refused as of `now`; empty where nobody is kept out.
    Buffer refused(Clock::time_point now);
    /// Nobody is any more, nor a suspect.
    void let_in_again();
    /// When the first of those in refused() is let in again.
    Clock::time_point let_in_at() const { return let_in_at_; }
    /// One line a host that is kept out, for people.
    std::vector<std::string> lines(Clock::time_point now) const;

  private:
    FileDescriptor page_;  // see forwarder::ServingPage
    Suspects suspects_;
    Clock::time_point let_in_at_ = Clock::time_point::max();
};

}  // namespace porchlight::agent
