#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "dns/question.h"
#include "forwarder/serving.h"

namespace porchlight::forwarder {

struct Found;

/// An order of questions, for tables. By comparison rather than by hash: no stranger can choose
/// names that make it slow.
struct QuestionLess {
    bool operator()(const dns::Question& a, const dns::Question& b) const;
};

/// The questions that are being looked up, and who waits for each. Equal questions are one, so that
/// one upstream query serves them all (RFC 5452 section 5). No I/O; time is what callers pass.
class InFlight {
  public:
    using Done = std::function<void(const Found&)>;

    struct Limits {
        std::size_t questions_max = 10000;
        std::size_t waiters_max = 1000;  // for one question
        /// After so long a client should hear something, stale if need be (RFC 8767 section 5).
        std::chrono::milliseconds client_timer{1800};
    };

    struct Flight {
        dns::Question question;
        Serving::Host asker;  // the first of them
        Clock::time_point started;
        bool slow = false;        // the client timer ran out
        bool superseded = false;  // by other settings: its answer is for who waits, nobody else
        bool refreshing = false;  // for the cache alone, at first
        std::vector<Done> waiters;
        /// Who has an answer and waits no more. What each holds, his place among those that wait,
        /// is free when the flight ends, or he could have any number of them.
        std::vector<Done> served;
        std::uint64_t number = 0;  // in the order of their starts
    };

    InFlight() = default;
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;

    void set_limits(Limits limits) { limits_ = limits; }
    std::size_t size() const { return flights_.size(); }

    /// The flight that looks for `question` by the settings of today, or none. Valid until its end.
    Flight* find(const dns::Question& question);
    /// A new flight, for a question that has none; none when there are too many.
    Flight* start(const dns::Question& question, const Serving::Host& asker, Clock::time_point now);
    bool has_room(const Flight& flight) const {
        return flight.waiters.size() < limits_.waiters_max;
    }
    /// Ends the flight, whose memory goes; who still waited.
    std::vector<Done> end(Flight& flight);
    /// Whoever asks from now on joins none of the flights that are under way.
    void supersede();
    /// Ends them all, and nobody hears of it.
    void clear();

    /// When take_slow() will next have something; nothing while every flight is slow or none is.
    std::optional<Clock::time_point> next_slow() const;
    /// The next flight whose client timer has run out by `now`, each once.
    Flight* take_slow(Clock::time_point now);

  private:
    using Flights = std::map<std::uint64_t, Flight>;  // by number
    Limits limits_;
    Flights flights_;
    std::uint64_t last_number_ = 0;
    Flights::iterator first_fast_ = flights_.end();
    std::map<dns::Question, Flights::iterator, QuestionLess> by_question_;
};

}  // namespace porchlight::forwarder
