#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/writer.h"
#include "dns/name.h"
#include "forwarder/keyed_hash.h"
#include "forwarder/settings.h"
#include "net/frame.h"

// What was asked, for whoever runs this home and wants to know (RFC 8932 section 5.2, RFC 9076). It
// is off unless he wants it, lies in this process's memory alone, and goes with it.

namespace porchlight::forwarder {

/// By what a query came.
enum class AskedOver : std::uint8_t { do53, dot, doh };
/// What became of it. The extended error says more: stale, blocked.
enum class Outcome : std::uint8_t {
    own,        // answered from our own tables
    cached,     // from the cache
    looked_up,  // asked elsewhere, or joined with who asked
    refused,    // over a limit
    malformed,  // not looked up, for what is wrong with it
};

/// Who asked, as far as the log may know.
struct LoggedClient {
    std::uint32_t pseudonym = 0;            // the same for one day
    std::uint8_t family = 0;                // 0: not known, or not to be; 4; 6
    std::array<std::uint8_t, 7> network{};  // the first 24 or 56 bits of his address
    bool operator==(const LoggedClient&) const = default;
};

/// One query as it is noted.
struct NotedQuery {
    Clock::time_point asked_at;
    AskedOver over = AskedOver::do53;
    Outcome outcome = Outcome::malformed;
    std::uint8_t rcode = 0;
    std::uint16_t extended_error = 0;  // 0: none
    std::uint16_t type = 0;
    Bytes name;  // wire form, borrowed; empty: none could be read
    LoggedClient client;
};

/// One query as it is told.
struct LoggedQuery {
    std::chrono::seconds age{0};
    AskedOver over = AskedOver::do53;
    Outcome outcome = Outcome::malformed;
    std::uint8_t rcode = 0;
    std::uint16_t extended_error = 0;
    std::uint16_t type = 0;
    std::optional<dns::Name> name;
    LoggedClient client;
    bool operator==(const LoggedQuery&) const = default;
};

/// How many queries there were since the level was set.
struct QueryCounts {
    /// That are counted each on its own; as IANA numbers them.
    static constexpr std::array<std::uint16_t, 11> types = {1, 28, 65, 64, 12, 16, 33, 15, 2, 6, 5};
    std::array<std::uint64_t, types.size() + 1> by_type{};  // the last: any other
    std::array<std::uint64_t, 16> by_rcode{};
    std::array<std::uint64_t, 5> by_outcome{};
    std::array<std::uint64_t, 3> by_carrier{};
    bool operator==(const QueryCounts&) const = default;

    void count(const NotedQuery& query);
    QueryCounts& operator+=(const QueryCounts& part);
};

/// What is told of all workers' logs.
struct QueryReport {
    QueryLogSettings::Level level = QueryLogSettings::Level::off;
    QueryCounts counts;
    std::vector<LoggedQuery> queries;  // newest first
    bool operator==(const QueryReport&) const = default;
};

/// Of several workers, the newest QueryLog::told_max of all.
QueryReport merged(std::vector<QueryReport> reports);

/// A key for pseudonyms, shared by all workers. Another one each day, and the old one is forgotten:
/// nobody can tell any more who a pseudonym of yesterday was. Any thread.
class DailyKey {
  public:
    static constexpr std::chrono::hours lasts{24};

    explicit DailyKey(Random& random) : random_(random) {}

    struct Today {
        KeyedHash hash;
        Clock::time_point until;
    };
    Today at(Clock::time_point now);

  private:
    std::mutex mutex_;
    Random& random_;
    std::optional<Today> today_;
};

/// One worker's queries, on its thread only. Off, it costs one look at a flag. On, noting allocates
/// nothing: the oldest make room in memory that was taken when the level was set.
class QueryLog {
  public:
    using Level = QueryLogSettings::Level;
    /// Of a report: the newest.
    static constexpr std::size_t told_max = 5000;

    explicit QueryLog(DailyKey& key) : key_(key) {}

    /// Whatever was noted by other settings goes. `workers` share the memory.
    void apply(const QueryLogSettings& settings, std::size_t workers);

    bool is_on() const { return settings_.level != Level::off; }
    bool wants_clients() const { return settings_.level == Level::full; }

    /// How the log knows who is at an address, or at a neighbour's hardware address.
    LoggedClient client(const IpAddress& address, const std::optional<net::MacAddress>& mac,
                        Clock::time_point now);
    void note(const NotedQuery& query);
    /// What was asked too long ago goes. To be called now and then, for somebody may never ask
    /// again.
    void forget_old(Clock::time_point now);
    /// Adds its own to `report`; `queries` newest first if there were none.
    void tell(QueryReport& report, Clock::time_point now) const;

  private:
    struct Record;
    void put(Bytes octets);
    void get(std::size_t at, std::span<std::uint8_t> octets) const;
    Record record_at(std::size_t at) const;
    void drop_oldest();
    LoggedQuery told(std::size_t at, const Record& record, Clock::time_point now) const;

    DailyKey& key_;
    std::optional<DailyKey::Today> today_;
    QueryLogSettings settings_;
    QueryCounts counts_;
    std::vector<std::uint8_t> ring_;
    std::size_t first_ = 0;  // the oldest
    std::size_t used_ = 0;
};

/// Body of Control::queries.
void write(Writer& out, const QueryReport& report);
Result<QueryReport> parse_query_report(Bytes message);

}  // namespace porchlight::forwarder
