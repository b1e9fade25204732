#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "core/file_descriptor.h"
#include "forwarder/listeners.h"
#include "forwarder/lookup.h"
#include "forwarder/poller.h"
#include "forwarder/recent_failures.h"
#include "forwarder/responder.h"
#include "forwarder/serving.h"
#include "forwarder/sessions.h"
#include "forwarder/settings.h"
#include "forwarder/tls_identity.h"

namespace porchlight::forwarder {

/// One event loop with listeners, connections and look-ups of its own; what it shares with the
/// other workers is the cache, the memory of failures, the admission and the key for pseudonyms.
/// Everything but loop(), run() and stop() is called on its thread, between turns.
class Worker {
  public:
    struct Shared {
        Cache& cache;
        RecentFailures& failures;
        Admission& admission;
        const TimeSource& time;
        DailyKey& daily_key;
        unsigned workers = 1;              // of them all
        Serving::Host* serving = nullptr;  // where it notes whom it works for
    };
    struct Listening {
        ListenerInfo info;
        FileDescriptor socket;
    };
    struct State {
        Counters counters;
        Lookup::Counters lookup;
        UpstreamFailures upstream_failures;
        std::vector<UpstreamState> upstreams;
        std::uint32_t dot_connections = 0;
        std::uint32_t doh_connections = 0;
        std::uint32_t handshakes_waiting = 0;
        std::optional<Clock::time_point> last_encrypted_query;
    };

    explicit Worker(Shared shared);
    ~Worker();

    asio::io_context& loop() { return loop_; }
    /// Until stop().
    void run() { loop_.run(); }
    /// From any thread: takes no more connections, ends those that are there without loss (see
    /// Sessions::leave_all()), then run().
    void stop();

    /// What of new settings can fail to be made, so that it is made before any worker has them.
    struct Made {
        std::optional<TlsServer> server;  // of their identity
        Lookup::Trust trust;              // of their upstreams
    };
    /// New settings; `made` is of them, for this worker alone. Connections stay, with the identity
    /// they began with.
    void apply(std::shared_ptr<const Settings> settings, Made made);
    /// In place of the listeners before. Who came by one of a kind and link that is not among them
    /// is left, without loss.
    void listen(std::vector<Listening> listening);
    State state() const;
    /// Adds what it noted of queries.
    void tell_queries(QueryReport& report, Clock::time_point now) const;
    /// What was noted too long ago goes.
    void forget_old_queries(Clock::time_point now) { query_log_.forget_old(now); }

  private:
    std::unique_ptr<Pollable> listener(Listening listening);

    Shared shared_;
    asio::io_context loop_{1};  // one thread runs it
    Serving serving_;
    Poller poller_;
    Counters counters_;
    Lookup lookup_;
    QueryLog query_log_;
    Responder responder_;
    Sessions sessions_;
    std::optional<TlsServer> server_;
    std::vector<std::unique_ptr<Pollable>> listeners_;
};

}  // namespace porchlight::forwarder
