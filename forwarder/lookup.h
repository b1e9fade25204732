#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "core/writer.h"
#include "dns/query.h"
#include "dns/question.h"
#include "forwarder/link_name.h"
#include "forwarder/serving.h"
#include "forwarder/settings.h"
#include "forwarder/upstream_failures.h"
#include "forwarder/views.h"
#include "net/asio.h"

namespace porchlight::net {
class TlsClient;
}

namespace porchlight::forwarder {

class Admission;
class Cache;
class RecentFailures;

/// What a look-up came to. The octets live only during the call that hands it over.
struct Found {
    Bytes response;  // whole: ID 0, the question as it was asked of find(), no OPT
    std::optional<std::uint16_t> extended_error;  // RFC 8914
};

/// Where answers come from when the cache has none: our own tables, the companion, an upstream.
/// One a worker, on its thread only. Equal questions in flight are asked once (RFC 5452 section 5);
/// what comes goes into the cache; what does not come is served stale where it can be (RFC 8767).
class Lookup {
  public:
    using Done = std::function<void(const Found&)>;

    struct Counters {
        std::uint64_t own_answers = 0;        // special names, own name
        std::uint64_t companion_queries = 0;  // sent
        std::uint64_t companion_failures = 0;
        std::uint64_t upstream_questions = 0;  // that left, after merging
        std::uint64_t merged = 0;              // joined a question already in flight
        std::uint64_t refused_full = 0;        // over in_flight_max or waiters_per_question_max
        std::uint64_t stale_answers = 0;
        std::uint64_t failures = 0;         // SERVFAIL for want of an answer
        std::uint64_t failures_recent = 0;  // SERVFAIL because the same question just failed
        std::uint64_t answers_blocked_rebinding = 0;  // from outside, leading into the home
        std::uint64_t answers_foreign = 0;            // with records that nobody asked for
        std::uint64_t answers_from_cut = 0;           // NXDOMAIN because a name above is not there
        std::uint64_t prefetches = 0;                 // asked before the cache's answer was over
        std::uint64_t background_put_off = 0;         // and what was not, for want of places
    };

    /// What it is one part of, as far as it has to know.
    struct Whole {
        unsigned workers = 1;                  // that look up
        const Admission* admission = nullptr;  // tells when places are scarce; outlives it
    };

    /// `cache`, `failures`, `time` and `serving` outlive it, the former two for all workers; `loop`
    /// runs on the caller's thread. Without settings every question that is not our own fails.
    /// `serving` tells who asks, and is told again when his answer is read.
    Lookup(asio::any_io_executor loop, Cache& cache, RecentFailures& failures,
           const TimeSource& time, Serving& serving, Whole whole);
    /// Alone, and never short of places.
    Lookup(asio::any_io_executor loop, Cache& cache, RecentFailures& failures,
           const TimeSource& time, Serving& serving);
    ~Lookup();
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

    /// Whom upstreams are trusted by, for one Lookup: what can fail when settings are applied,
    /// with `malformed` where the trust anchors can't be read. Null where `before`, which is null
    /// at first, had the same. `time` outlives it. May be made on any thread.
    using Trust = std::shared_ptr<net::TlsClient>;
    static Result<Trust> trust_for(const Settings* before, const Settings& after,
                                   const TimeSource& time);

    /// Replaces tables, companion and upstreams; what is in flight ends with the old ones. `trust`
    /// is what trust_for() made of those before and these.
    void apply(std::shared_ptr<const Settings> settings, Trust trust);
    /// Both; where it fails everything is as it was.
    Result<void> apply(std::shared_ptr<const Settings> settings);

    /// Answers at once from our own tables: appends a whole response like Found's and returns true,
    /// or appends nothing. To be asked before the cache. Allocates nothing of its own. `link` is
    /// whose host asks; none: the companion.
    bool answer_locally(const dns::Query& query, Writer& out, bool from_companion = false,
                        const LinkName& link = {});

    /// Finds the answer and calls `done` once, on this thread, perhaps before it returns. What
    /// nobody answered comes as SERVFAIL. `done` is not called any more when *this is gone.
    void find(const dns::Question& question, bool from_companion, Done done);

    /// Asks for what the cache has, so that it has it still when its time is over. Does nothing
    /// where that is no upstream's, is asked already or failed lately. Where places are scarce, or
    /// a twentieth of those in flight, divided evenly among the workers, has such a question, it is
    /// put off: the cache says again that it is time.
    void refresh(const dns::Question& question);

    /// By the settings of today; a question of another view than everybody's has its number.
    const Views& views() const;
    const Counters& counters() const;
    /// Of all upstreams there were, whatever settings named them.
    const UpstreamFailures& upstream_failures() const;
    std::vector<UpstreamState> upstreams() const;

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with coroutines, which may end after us
};

}  // namespace porchlight::forwarder
