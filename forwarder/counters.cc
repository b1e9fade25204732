#include "forwarder/counters.h"

namespace porchlight::forwarder {
namespace {

struct Entry {
    const char* name;
    std::uint64_t Counters::*value;
};

constexpr Entry entries[] = {
    {"dot_connections", &Counters::dot_connections},
    {"dot_connections_refused", &Counters::dot_connections_refused},
    {"dot_handshakes", &Counters::dot_handshakes},
    {"dot_handshakes_resumed", &Counters::dot_handshakes_resumed},
    {"dot_handshakes_failed", &Counters::dot_handshakes_failed},
    {"dot_queries", &Counters::dot_queries},
    {"doh_connections", &Counters::doh_connections},
    {"doh_connections_refused", &Counters::doh_connections_refused},
    {"doh_handshakes", &Counters::doh_handshakes},
    {"doh_handshakes_resumed", &Counters::doh_handshakes_resumed},
    {"doh_handshakes_failed", &Counters::doh_handshakes_failed},
    {"doh_queries", &Counters::doh_queries},
    {"handshakes_waited", &Counters::handshakes_waited},
    {"handshakes_dropped", &Counters::handshakes_dropped},
    {"doh_bad_requests", &Counters::doh_bad_requests},
    {"doh_bodies_refused", &Counters::doh_bodies_refused},
    {"doh_resets", &Counters::doh_resets},
    {"doh_floods", &Counters::doh_floods},
    {"do53_queries", &Counters::do53_queries},
    {"do53_tcp_queries", &Counters::do53_tcp_queries},
    {"do53_foreign", &Counters::do53_foreign},
    {"do53_truncated", &Counters::do53_truncated},
    {"do53_dropped", &Counters::do53_dropped},
    {"queries_refused", &Counters::queries_refused},
    {"queries_malformed", &Counters::queries_malformed},
    {"cache_hits", &Counters::cache_hits},
    {"cache_misses", &Counters::cache_misses},
    {"closed_idle", &Counters::closed_idle},
    {"closed_slow", &Counters::closed_slow},
    {"closed_broken", &Counters::closed_broken},
    {"closed_unanswered", &Counters::closed_unanswered},
    {"accepts_failed", &Counters::accepts_failed},
};
static_assert(sizeof(Counters) == std::size(entries) * sizeof(std::uint64_t),
              "every counter has a name");

}  // namespace

void add(Counters& sum, const Counters& part) {
    for (const Entry& entry : entries) sum.*entry.value += part.*entry.value;
}

void append(std::vector<Counter>& out, const Counters& counters) {
    for (const Entry& entry : entries) out.push_back({entry.name, counters.*entry.value});
}

}  // namespace porchlight::forwarder
