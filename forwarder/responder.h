#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "core/clock.h"
#include "core/writer.h"
#include "dns/query.h"
#include "forwarder/admission.h"
#include "forwarder/answer_writer.h"
#include "forwarder/cache.h"
#include "forwarder/counters.h"
#include "forwarder/link_name.h"
#include "forwarder/lookup.h"
#include "forwarder/query_log.h"

namespace porchlight::forwarder {

/// The way that queries came by.
struct Leg {
    bool encrypted = false;
    bool stream = false;          // TCP below; else UDP
    bool http = false;            // between both; then answers are never cut
    bool from_companion = false;  // then the companion is never asked
    std::uint16_t keepalive = 0;  // of a stream, in units of 100 ms
    LinkName link = {};           // whose host asks; none: the companion
    /// Who asks, for as long as a call takes; null: the companion.
    const Client* client = nullptr;
    /// Of the device that he said he is; none: his hardware address tells. By today's settings.
    std::optional<View> view = {};

    Carrier carrier(const dns::Query& query) const {
        if (!stream) return udp_carrier(query);
        if (http) return {.encrypted = encrypted, .truncates = false};
        return {.encrypted = encrypted, .keepalive = keepalive};
    }
};

/// A query that has to outlive the message it came in.
struct KeptQuery {
    KeptQuery(const dns::Query& from, std::optional<NotedQuery> note, WaitingPlace waits)
        : query(from),
          question(from.question.begin(), from.question.end()),
          noted(std::move(note)),
          place(std::move(waits)) {
        query.question = question;
        if (noted) noted->name = query.name();
    }
    KeptQuery(const KeptQuery&) = delete;
    dns::Query query;
    Buffer question;                  // what `query` borrows
    std::optional<NotedQuery> noted;  // where it is logged
    WaitingPlace place;
};

/// The one path from a client's message to an answer, whatever the transport. One a worker.
class Responder {
  public:
    enum class Given {
        answered,   // the answer was appended
        nothing,    // the message deserves none
        not_known,  // query() has to be looked up
    };

    Responder(Cache& cache, Lookup& lookup, Counters& counters, QueryLog& log)
        : cache_(cache), lookup_(lookup), counters_(counters), log_(log) {}

    /// Answers from the message alone, our own tables or the cache. Allocates nothing once `out`
    /// has grown.
    Given answer(Bytes message, const Leg& leg, Clock::time_point now, Writer& out);
    /// What answer() read last.
    const dns::Query& query() const { return query_; }

    /// Finds the answer to query() and hands it over once, perhaps at once; not any more when *this
    /// is gone. `place` is held until then.
    using Done = std::function<void(const KeptQuery&, const Found&)>;
    void find(const Leg& leg, Done done, WaitingPlace place = {});

    /// The view of the device that a host says it is; none: nobody knows that id.
    std::optional<View> view_of_device(std::string_view id) const {
        return lookup_.views().of_device(id);
    }

    /// Appends what find() came to.
    static void write_found(const KeptQuery& asked, const Found& found, const Leg& leg,
                            Writer& out);
    /// Appends REFUSED with an extended error, for a client over its rate; nothing if the message
    /// deserves nothing.
    void refuse(Bytes message, const Leg& leg, Clock::time_point now, Writer& out);
    /// Appends question and TC to a question that came by a datagram, so that whoever means it asks
    /// again by TCP (RFC 2181 section 9); to what is none what answer() does.
    Given truncate(Bytes message, const Leg& leg, Clock::time_point now, Writer& out);

  private:
    struct Decided {
        Given given;
        Outcome outcome;
        std::optional<std::uint16_t> extended_error = {};
    };
    Decided decide(Bytes message, const Leg& leg, Clock::time_point now, Writer& out);
    Decided turn_down(dns::Verdict verdict, const Leg& leg, Writer& out);
    std::optional<NotedQuery> noted(const Leg& leg, Clock::time_point now);
    void note(const Decided& decided, Bytes answer);
    View view_of(const Leg& leg) const;
    dns::Question question() const;

    Cache& cache_;
    Lookup& lookup_;
    Counters& counters_;
    QueryLog& log_;
    dns::Query query_;
    View view_ = everybody;            // of who asked it
    std::optional<NotedQuery> noted_;  // where it is logged
};

}  // namespace porchlight::forwarder
