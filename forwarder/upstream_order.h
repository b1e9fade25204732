#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/clock.h"

namespace porchlight::forwarder {

/// In which order several servers are tried, from how they did (RFC 9520 section 3.1). The order of
/// the configuration is the order of preference. A server that failed stands behind the fit ones;
/// it is fit again once it has answered for `recovery`, so that one that flaps is not returned to
/// each time. What it answers meanwhile is asked in the background, not for a client.
class UpstreamOrder {
  public:
    static constexpr std::chrono::seconds recovery{60};
    static constexpr std::chrono::seconds probe_interval{10};

    explicit UpstreamOrder(std::size_t servers) : servers_(servers) {}

    /// Every server once: the fit ones, then those that recover, then those that failed.
    std::vector<std::size_t> order() const;

    void note_answer(std::size_t server, Clock::time_point now);
    void note_failure(std::size_t server);
    /// A question that was asked at `asked` had no answer. Where the server has answered another
    /// since then, the name is slow and not the server. Else it is doubted: true where its health
    /// should be tried with a question of our own, whose silence would be a failure.
    bool note_timeout(std::size_t server, Clock::time_point asked);
    /// A server better liked than `used` whose health should be tried now, if any; counted as
    /// tried.
    std::optional<std::size_t> to_probe(std::size_t used, Clock::time_point now);

  private:
    enum class State { fit, recovering, failed };
    struct Server {
        State state = State::fit;
        bool doubted = false;
        Clock::time_point answered_at = Clock::time_point::min();
        Clock::time_point recovering_since;
        Clock::time_point next_probe = Clock::time_point::min();
    };
    std::vector<Server> servers_;
};

}  // namespace porchlight::forwarder
