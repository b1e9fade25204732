#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "core/clock.h"
#include "dns/question.h"
#include "forwarder/in_flight.h"

namespace porchlight::forwarder {

/// Questions whose look-up failed a short while ago, so that a client that insists does not make us
/// insist upstream (RFC 9520 section 3.2). One for all workers, behind a mutex that is held for one
/// look; only what the cache has no answer to comes here. No I/O; time is what callers pass.
class RecentFailures {
  public:
    struct Limits {
        /// The name is to blame: a server said that it failed, or all were silent on it while they
        /// answered others. Doubles with each further failure (RFC 9520 section 3.2).
        std::chrono::seconds first{5};
        std::chrono::seconds most{300};
        /// Where a stale answer stands in, nobody is kept waiting so soon again (RFC 8767 section
        /// 5).
        std::chrono::seconds covered{30};
        std::size_t questions_max = 4096;
        std::size_t questions_per_host_max = 512;  // that first asked it; then its own make room
    };
    /// Nothing was answered at all, or no server could be reached: the line is to blame. It may be
    /// back any moment, and only the next question shows that it is, so this does not double: a
    /// home that was cut off for minutes would else stay dark for as long again. Nobody is burdened
    /// by it, for where no connection comes about none is tried again within a second, and what is
    /// silent is asked for as long as a look-up takes before it counts as that.
    static constexpr std::chrono::seconds no_line{1};
    /// A name that nobody answers while others are answered: its servers may be gone, or the way
    /// to them beyond our upstreams, which comes back without a sign. RFC 9520 section 3.2 leaves
    /// how long it doubles to us, below five minutes: so that nobody has to wait for those.
    static constexpr std::chrono::seconds silence_most{60};

    /// `silence`: nobody answered in time. Whether that is the name's or the line's, what else was
    /// answered tells, see note_upstream().
    enum class Blame { name, silence, line };

    void set_limits(Limits limits);

    /// What was asked at `asked_at` failed `now`. Had upstreams been silent then, it says nothing
    /// of now, and is kept for the second that RFC 9520 section 3.2 asks for at least. `stale`
    /// where it does not hurt, because the cache still has an older answer. `asker` is whose table
    /// it goes into when that is full.
    void note(const dns::Question& question, const Serving::Host& asker, Blame blame,
              std::optional<std::uint16_t> extended_error, bool stale, Clock::time_point asked_at,
              Clock::time_point now);
    /// The look-up succeeded. Where that nobody answered it counted until less than a minute ago,
    /// the way beyond the upstreams is back, for it and perhaps for all that nobody answered: those
    /// may be tried once they have failed for the second that RFC 9520 section 3.2 asks for.
    void forget(const dns::Question& question, Clock::time_point now);
    /// Whether what was asked at `asked_at` had an answer at all. Upstreams are silent once one had
    /// none while nothing else was answered either; when they are back they may know at once what
    /// failed meanwhile, so that all is forgotten.
    void note_upstream(bool answered, Clock::time_point asked_at, Clock::time_point now);
    /// Other settings: whatever failed may be tried at once.
    void clear();

    struct Failure {
        std::optional<std::uint16_t> extended_error;
        Clock::time_point until;
        std::chrono::seconds lasts{0};
        Serving::Host asker;
        bool silent = false;  // nobody answered it
    };
    /// The failure that still counts, or none.
    std::optional<Failure> find(const dns::Question& question, Clock::time_point now) const;

  private:
    using Failures = std::map<dns::Question, Failure, QuestionLess>;
    struct HostLess {
        bool operator()(const Serving::Host& a, const Serving::Host& b) const;
    };

    std::chrono::seconds next_duration(Blame blame, bool stale, std::chrono::seconds before) const;
    void shorten_silent(Clock::time_point now);
    void make_room(const Serving::Host& asker, Clock::time_point now);
    void forget_all();
    void drop_first_over(const Serving::Host& asker);
    Failures::iterator erase(Failures::iterator failure);

    mutable std::mutex mutex_;  // over everything below
    Limits limits_;
    bool is_silent_ = false;           // no upstream answers
    Clock::time_point answered_at_{};  // when one did last
    Clock::time_point back_at_{};      // when one did that had been silent
    Failures failures_;
    std::map<Serving::Host, std::size_t, HostLess> of_host_;  // how many each has there
};

}  // namespace porchlight::forwarder
