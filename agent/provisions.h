#pragma once

#include <sys/types.h>

#include <map>

#include "agent/config.h"
#include "core/clock.h"
#include "core/result.h"
#include "net/channel.h"

namespace porchlight::agent {

/// The processes that ask a CA: each comes for one order, and is ended when that takes too long.
class Provisions {
  public:
    /// Starts one, as a user of its own where processes may change theirs. Returns the channel to
    /// it. Fails where there are too many already.
    Result<net::Channel> start(bool as_own_user, const LogConfig& log, Clock::time_point now);
    void end_overdue(Clock::time_point now);
    void end_all();
    /// Whether an ended process was one of them.
    bool reap(pid_t pid) { return deadlines_.erase(pid) > 0; }
    Clock::time_point next_deadline() const;

  private:
    std::map<pid_t, Clock::time_point> deadlines_;
};

}  // namespace porchlight::agent
