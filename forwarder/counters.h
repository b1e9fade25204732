#pragma once

#include <cstdint>
#include <vector>

#include "forwarder/settings.h"

namespace porchlight::forwarder {

/// What one worker counted since it started. Touched on its thread only.
struct Counters {
    std::uint64_t dot_connections = 0;          // accepted and let in
    std::uint64_t dot_connections_refused = 0;  // over a limit, or no certificate
    std::uint64_t dot_handshakes = 0;
    std::uint64_t dot_handshakes_resumed = 0;
    std::uint64_t dot_handshakes_failed = 0;
    std::uint64_t dot_queries = 0;
    std::uint64_t doh_connections = 0;  // the same over HTTPS
    std::uint64_t doh_connections_refused = 0;
    std::uint64_t doh_handshakes = 0;
    std::uint64_t doh_handshakes_resumed = 0;
    std::uint64_t doh_handshakes_failed = 0;
    std::uint64_t doh_queries = 0;
    std::uint64_t handshakes_waited = 0;   // for those of others, or for the processor
    std::uint64_t handshakes_dropped = 0;  // ended before their turn
    std::uint64_t doh_bad_requests = 0;    // answered with another HTTP status than 200 and 429
    std::uint64_t doh_bodies_refused = 0;  // of those, because unfinished requests held too much
    std::uint64_t doh_resets = 0;          // streams that clients gave up, or broke
    std::uint64_t doh_floods = 0;          // connections ended for what asked nothing
    std::uint64_t do53_queries = 0;
    std::uint64_t do53_tcp_queries = 0;  // of those
    std::uint64_t do53_foreign = 0;      // from beyond loopback: not answered
    std::uint64_t do53_truncated = 0;    // over their rate, told to come by TCP
    std::uint64_t do53_dropped = 0;      // far over it: not answered
    std::uint64_t queries_refused = 0;   // over a client's rate, or that of plain DNS over TCP
    std::uint64_t queries_malformed = 0;
    std::uint64_t cache_hits = 0;
    std::uint64_t cache_misses = 0;
    std::uint64_t closed_idle = 0;
    std::uint64_t closed_slow = 0;        // handshake, frame or reading took too long
    std::uint64_t closed_broken = 0;      // a frame of no legal length, or octet by octet
    std::uint64_t closed_unanswered = 0;  // left, and their time was over before all was said
    std::uint64_t accepts_failed = 0;
};

void add(Counters& sum, const Counters& part);
/// One Counter a member, named like it.
void append(std::vector<Counter>& out, const Counters& counters);

}  // namespace porchlight::forwarder
