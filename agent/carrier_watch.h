#pragma once

#include <sys/types.h>

#include <vector>

#include "agent/carriers.h"
#include "agent/config.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/storage.h"

namespace porchlight::agent {

/// Sees who runs here, for the keeper, where a configuration leaves a carrier to that. Where it
/// doesn't, nothing is looked at. The machine's processes are seen each time; UCI is asked when
/// odhcpd is another process than before, for `look_anew`, and now and then. Where it can't be
/// asked, what was found stays, and it is asked again at the next look.
class CarrierWatch {
  public:
    /// An odhcpd that the last run told of something counts as seen at `now`: after a power cut it
    /// may start later than we do, and says at once what it was told.
    CarrierWatch(const Config& asked, Storage& storage, Clock::time_point now);

    Found look(const Config& asked, Clock::time_point now);
    /// For a configuration that may name other interfaces, sections and programs than before.
    Found look_anew(const Config& asked, Clock::time_point now);

    /// A line about what was chosen, where that is news.
    void log_choice(const AnnounceConfig& asked, const AnnounceConfig& resolved);

  private:
    bool sees_odhcpd(const Config& asked, Clock::time_point now);
    void ask_uci(const Config& asked, Clock::time_point now);
    void log_failure(const Result<bool>& answer);

    Presence odhcpd_;
    std::vector<pid_t> processes_;  // those of odhcpd when UCI was asked
    bool serves_ = false;           // what it said, or what was found before where it said nothing
    bool unasked_ = false;          // the latter
    Clock::time_point ask_at_{};    // again
    std::vector<ChosenCarrier> logged_;
};

}  // namespace porchlight::agent
