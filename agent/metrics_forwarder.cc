#include "agent/metrics_forwarder.h"

#include <algorithm>
#include <string_view>

namespace porchlight::agent {
namespace {

using Type = Exposition::Type;

/// A counter of the forwarder, and what it is called outside. Rows of one family stand together;
/// the first has its help.
struct Row {
    std::string_view counter;
    std::string_view family;
    std::string_view label{};
    std::string_view value{};
    std::string_view help{};
};

constexpr Row rows[] = {
    {"queries_refused", "porchlight_queries_refused_total", "", "",
     "Questions that were refused because their client, or plain DNS, was over its rate."},
    {"queries_malformed", "porchlight_queries_malformed_total", "", "",
     "Messages that are no question."},
    {"do53_foreign", "porchlight_queries_foreign_total", "", "",
     "Plain DNS from beyond loopback, which is not answered."},
    {"do53_truncated", "porchlight_queries_truncated_total", "", "",
     "Plain questions over their rate that were told to come by TCP."},
    {"do53_dropped", "porchlight_queries_dropped_total", "", "",
     "Plain questions far over their rate, which were not answered."},
    {"merged", "porchlight_queries_merged_total", "", "",
     "Questions that joined the same one in flight."},
    {"refused_full", "porchlight_queries_over_limit_total", "", "",
     "Questions that failed because too many were in flight."},
    {"failures", "porchlight_queries_failed_total", "", "",
     "Questions that were answered SERVFAIL for want of an answer."},
    {"failures_recent", "porchlight_queries_failed_lately_total", "", "",
     "Questions that nobody was asked because they had just failed."},
    {"cache_hits", "porchlight_cache_hits_total", "", "", "Answers from the cache."},
    {"cache_misses", "porchlight_cache_misses_total", "", "",
     "Questions that the cache had no answer to."},
    {"prefetches", "porchlight_cache_prefetches_total", "", "",
     "Questions that were asked again before the cache's answer was over."},
    {"background_put_off", "porchlight_background_put_off_total", "", "",
     "Prefetches and probes of upstreams that were not begun because places were scarce."},
    {"answers_from_cut", "porchlight_cache_nxdomain_cut_answers_total", "", "",
     "Names that do not exist because one above them does not."},
    {"stale_answers", "porchlight_cache_stale_answers_total", "", "",
     "Answers that were past their time, because nobody gave a new one."},
    {"answers_blocked_rebinding", "porchlight_answers_blocked_total", "reason", "rebinding",
     "Answers from outside that hosts did not hear."},
    {"answers_foreign", "porchlight_answers_blocked_total", "reason", "foreign"},
    {"own_answers", "porchlight_own_answers_total", "", "",
     "Answers from the router's own tables: its name and those of special use."},
    {"companion_queries", "porchlight_companion_queries_total", "", "",
     "Questions for the home's own names that were sent to its DNS server."},
    {"companion_failures", "porchlight_companion_failures_total", "", "",
     "Those that it did not answer."},
    {"upstream_questions", "porchlight_upstream_questions_total", "", "",
     "Questions that left the house."},
    {"upstream_timeouts", "porchlight_upstream_failures_total", "reason", "timeout",
     "Questions that one upstream failed, each upstream counted."},
    {"upstream_unproved", "porchlight_upstream_failures_total", "reason", "unproved"},
    {"upstream_unreachable", "porchlight_upstream_failures_total", "reason", "unreachable"},
    {"upstream_malformed", "porchlight_upstream_failures_total", "reason", "malformed"},
    {"upstream_internal", "porchlight_upstream_failures_total", "reason", "internal"},
    {"upstream_unhelpful", "porchlight_upstream_failures_total", "reason", "unhelpful"},
    {"dot_connections", "porchlight_connections_total", "transport", "dot",
     "Connections that were let in."},
    {"doh_connections", "porchlight_connections_total", "transport", "doh"},
    {"dot_connections_refused", "porchlight_connections_refused_total", "transport", "dot",
     "Connections over a limit, of a host that is kept out, or while there is no certificate."},
    {"doh_connections_refused", "porchlight_connections_refused_total", "transport", "doh"},
    {"handshakes_waited", "porchlight_handshakes_waited_total", "", "",
     "Handshakes that waited for those of others, or for their share of the processor."},
    {"handshakes_dropped", "porchlight_handshakes_dropped_total", "", "",
     "Handshakes whose connections ended before their turn."},
    {"closed_idle", "porchlight_connections_closed_total", "reason", "idle",
     "Connections that this side ended."},
    {"closed_slow", "porchlight_connections_closed_total", "reason", "slow"},
    {"closed_broken", "porchlight_connections_closed_total", "reason", "broken"},
    {"closed_unanswered", "porchlight_connections_closed_total", "reason", "unanswered"},
    {"doh_bad_requests", "porchlight_doh_requests_refused_total", "", "",
     "Requests of DNS over HTTPS that are none, and got another status than 200."},
    {"doh_bodies_refused", "porchlight_doh_bodies_refused_total", "", "",
     "Those of them for which unfinished requests left no memory."},
    {"doh_resets", "porchlight_doh_resets_total", "", "",
     "Requests of DNS over HTTPS that their clients took back, or broke so that we had to end "
     "them."},
    {"doh_floods", "porchlight_doh_floods_total", "", "",
     "Connections of DNS over HTTPS that were closed because of frames that asked nothing."},
    {"accepts_failed", "porchlight_accepts_failed_total", "", "",
     "Connections that the system could not hand over."},
};

/// Those that are told apart further than they are counted.
constexpr std::string_view divided[] = {
    "dot_queries",           "doh_queries",    "do53_queries",
    "do53_tcp_queries",      "dot_handshakes", "dot_handshakes_resumed",
    "dot_handshakes_failed", "doh_handshakes", "doh_handshakes_resumed",
    "doh_handshakes_failed"};

/// What begins so is counted limit by limit, and stands in one family.
constexpr std::string_view limit_prefix = "limit_";

class Counted {
  public:
    explicit Counted(const std::vector<forwarder::Counter>& counters) : counters_(counters) {}

    const forwarder::Counter* find(std::string_view name) const {
        const auto found =
            std::find_if(counters_.begin(), counters_.end(),
                         [&](const forwarder::Counter& one) { return one.name == name; });
        return found == counters_.end() ? nullptr : &*found;
    }
    std::uint64_t operator[](std::string_view name) const {
        const forwarder::Counter* const counter = find(name);
        return counter == nullptr ? 0 : counter->value;
    }

  private:
    const std::vector<forwarder::Counter>& counters_;
};

void put_divided(Exposition& out, const Counted& counted) {
    out.family("porchlight_queries_total", Type::counter, "Questions that came in.");
    const std::uint64_t do53_tcp = counted["do53_tcp_queries"];
    out.number({{"transport", "dot"}, {"proto", "tcp"}}, counted["dot_queries"]);
    out.number({{"transport", "doh"}, {"proto", "tcp"}}, counted["doh_queries"]);
    out.number({{"transport", "do53"}, {"proto", "udp"}}, counted["do53_queries"] - do53_tcp);
    out.number({{"transport", "do53"}, {"proto", "tcp"}}, do53_tcp);
    out.family("porchlight_tls_handshakes_total", Type::counter,
               "Handshakes of clients; resumed: by a ticket of an earlier one.");
    const auto both = [&](std::string_view dot, std::string_view doh) {
        return counted[dot] + counted[doh];
    };
    const std::uint64_t resumed = both("dot_handshakes_resumed", "doh_handshakes_resumed");
    out.number({{"result", "full"}}, both("dot_handshakes", "doh_handshakes") - resumed);
    out.number({{"result", "resumed"}}, resumed);
    out.number({{"result", "failed"}}, both("dot_handshakes_failed", "doh_handshakes_failed"));
}

void put_rows(Exposition& out, const Counted& counted) {
    for (const Row& row : rows) {
        const forwarder::Counter* const counter = counted.find(row.counter);
        if (!row.help.empty()) out.family(row.family, Type::counter, row.help);
        if (counter == nullptr) continue;
        if (row.label.empty())
            out.number({}, counter->value);
        else
            out.number({{row.label, row.value}}, counter->value);
    }
}

bool is_named(std::string_view counter) {
    return counter.starts_with(limit_prefix) ||
           std::find(std::begin(divided), std::end(divided), counter) != std::end(divided) ||
           std::any_of(std::begin(rows), std::end(rows),
                       [&](const Row& row) { return row.counter == counter; });
}

void put_limits(Exposition& out, const std::vector<forwarder::Counter>& counters) {
    out.family("porchlight_limit_reached_total", Type::counter,
               "Connections, handshakes and questions that were refused or ended, by the limit "
               "that they met.");
    for (const forwarder::Counter& one : counters)
        if (one.name.starts_with(limit_prefix))
            out.number({{"limit", one.name.substr(limit_prefix.size())}}, one.value);
}

/// No counter is lost for want of a row.
void put_others(Exposition& out, const std::vector<forwarder::Counter>& counters) {
    out.family("porchlight_forwarder_events_total", Type::counter,
               "What else the forwarder counts.");
    for (const forwarder::Counter& one : counters)
        if (!is_named(one.name)) out.number({{"event", one.name}}, one.value);
}

void put_present(Exposition& out, const forwarder::Status& forwarder) {
    out.family("porchlight_cache_entries", Type::gauge, "Answers in the cache.");
    out.number({}, forwarder.cache_entries);
    out.family("porchlight_cache_bytes", Type::gauge, "The memory that they take.");
    out.number({}, forwarder.cache_octets);
    out.family("porchlight_connections", Type::gauge, "Open connections.");
    out.number({{"transport", "dot"}}, forwarder.dot_connections);
    out.number({{"transport", "doh"}}, forwarder.doh_connections);
    out.family("porchlight_connection_bytes", Type::gauge, "The memory that those over TLS take.");
    out.number({}, forwarder.connection_octets);
    out.family("porchlight_connection_bytes_limit", Type::gauge, "What they may take.");
    out.number({}, forwarder.connection_octets_max);
    out.family("porchlight_handshakes_waiting", Type::gauge,
               "Handshakes that wait for the processor now.");
    out.number({}, forwarder.handshakes_waiting);
    out.family("porchlight_clients_last_day", Type::gauge,
               "Hosts that asked over TLS in the last 24 hours.");
    out.number({}, forwarder.clients_today);
    out.family("porchlight_clients_blocked", Type::gauge,
               "Clients that are not let in for what they did.");
    out.number({}, std::uint64_t(forwarder.bans.size()));
}

}  // namespace

void put_forwarder(Exposition& out, const std::optional<forwarder::Status>& forwarder,
                   const std::vector<forwarder::Counter>& counters) {
    out.family("porchlight_forwarder_up", Type::gauge,
               "Whether the process that serves DNS answers the agent and has its settings.");
    out.flag({}, forwarder && forwarder->serving);
    if (forwarder) put_present(out, *forwarder);
    if (counters.empty()) return;
    const Counted counted(counters);
    put_divided(out, counted);
    put_rows(out, counted);
    put_limits(out, counters);
    put_others(out, counters);
}

}  // namespace porchlight::agent
