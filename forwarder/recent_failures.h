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
    struct Limits {
        /// A server said that it failed: the name is to blame. Doubles with each further failure.
        std::chrono::seconds first{5};
        std::chrono::seconds most{300};
        std::size_t questions_max = 4096;
        std::size_t questions_per_host_max = 512;  // that first asked it; then its own make room
    };
    /// Nobody answered: the line is to blame, and may be back any moment.
    static constexpr std::chrono::seconds no_answer{5};
    static constexpr std::chrono::seconds unreachable{1};
    /// Where a stale answer stands in, nobody is kept waiting so soon again (RFC 8767 section 5).
    static constexpr std::chrono::seconds covered{30};

    enum class Blame { name, silence, line };

    void set_limits(Limits limits) { limits_ = limits; }

    /// `stale` where it does not hurt, because the cache still has an older answer. `asker` is
    /// whose table it goes into when that is full.
    void note(const dns::Question& question, const Serving::Host& asker, Blame blame,
              std::optional<std::uint16_t> extended_error, bool stale, Clock::time_point now);
    /// The look-up succeeded.
    void forget(const dns::Question& question);
    /// An upstream is reachable again: what failed for want of one may be tried at once.
    void clear();

    struct Failure {
        std::optional<std::uint16_t> extended_error;
        Clock::time_point until;
        std::chrono::seconds lasts{0};
        Serving::Host asker;
    };
    /// The failure that still counts, or none.
    const Failure* find(const dns::Question& question, Clock::time_point now) const;

  private:
    using Failures = std::map<dns::Question, Failure, QuestionLess>;
    struct HostLess {
        bool operator()(const Serving::Host& a, const Serving::Host& b) const;
    };

    std::chrono::seconds next_duration(Blame blame, bool stale, std::chrono::seconds before) const;
    void make_room(const Serving::Host& asker, Clock::time_point now);
    void drop_first_over(const Serving::Host& asker);
    Failures::iterator erase(Failures::iterator failure);

    Limits limits_;
    Failures failures_;
    std::map<Serving::Host, std::size_t, HostLess> of_host_;  // how many each has there
};

}  // namespace porchlight::forwarder
