#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "core/clock.h"
#include "dns/question.h"
#include "forwarder/in_flight.h"

namespace porchlight::forwarder {

/// Questions whose look-up failed a short while ago, so that a client that insists does not make us
/// insist upstream (RFC 9520 section 3.2). No I/O; time is what callers pass.
class RecentFailures {
  public:
    /// A server said that it failed: the name is to blame. Doubles with each further failure.
    static constexpr std::chrono::seconds first{5};
    static constexpr std::chrono::seconds most{300};
    /// Nobody answered: the line is to blame, and may be back any moment.
    static constexpr std::chrono::seconds no_answer{5};
    static constexpr std::chrono::seconds unreachable{1};
    /// Where a stale answer stands in, nobody is kept waiting so soon again (RFC 8767 section 5).
    static constexpr std::chrono::seconds covered{30};
    static constexpr std::size_t questions_max = 4096;

    enum class Blame { name, silence, line };
    /// `stale` where silence does not hurt, because the cache still has an older answer.

    void note(const dns::Question& question, Blame blame,
              std::optional<std::uint16_t> extended_error, bool stale, Clock::time_point now);
    /// The look-up succeeded.
    void forget(const dns::Question& question);
    /// An upstream is reachable again: what failed for want of one may be tried at once.
    void clear() { failures_.clear(); }

    struct Failure {
        std::optional<std::uint16_t> extended_error;
        Clock::time_point until;
        std::chrono::seconds lasts{0};
    };
    /// The failure that still counts, or none.
    const Failure* find(const dns::Question& question, Clock::time_point now) const;

  private:
    std::map<dns::Question, Failure, QuestionLess> failures_;
};

}  // namespace porchlight::forwarder
