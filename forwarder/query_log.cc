#include "forwarder/query_log.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>

#include "core/address_field.h"
#include "core/fields.h"
#include "forwarder/link_name.h"
#include "forwarder/tallies.h"

// The memory is a ring of records: a Record, then its name. One goes on at the ring's beginning
// where the end comes in between.

namespace porchlight::forwarder {
namespace {

constexpr std::size_t v4_network_octets = 3, v6_network_octets = 7;  // /24, /56

template <class Numbers>
void add(Numbers& sum, const Numbers& part) {
    std::transform(sum.begin(), sum.end(), part.begin(), sum.begin(), std::plus());
}

template <class Numbers>
void write_numbers(Writer& out, const Numbers& numbers) {
    for (const std::uint64_t number : numbers) out.u64(number);
}

template <class Numbers>
void read_numbers(Reader& in, Numbers& numbers) {
    for (std::uint64_t& number : numbers) number = in.u64();
}

/// An enumerator up to `last`.
template <class Enum>
Enum read_enum(Reader& in, Enum last) {
    const std::uint8_t value = in.u8();
    if (value > static_cast<std::uint8_t>(last)) in.fail("has a number of an unknown meaning");
    return static_cast<Enum>(value);
}

void write_query(Writer& out, const LoggedQuery& query) {
    out.u32(static_cast<std::uint32_t>(query.age.count()));
    out.u8(static_cast<std::uint8_t>(query.over));
    out.u8(static_cast<std::uint8_t>(query.outcome));
    out.u8(query.rcode);
    out.u16(query.extended_error);
    out.u16(query.type);
    out.u8(query.name.has_value());
    if (query.name) dns::write(out, *query.name);
    out.u32(query.client.pseudonym);
    out.u8(query.client.family);
    out.bytes(query.client.network);
}

LoggedQuery read_query(Reader& in) {
    LoggedQuery query;
    query.age = std::chrono::seconds(in.u32());
    query.over = read_enum(in, AskedOver::doh);
    query.outcome = read_enum(in, Outcome::malformed);
    query.rcode = in.u8();
    query.extended_error = in.u16();
    query.type = in.u16();
    if (in.u8() != 0) query.name = dns::read_name(in);
    query.client.pseudonym = in.u32();
    query.client.family = in.u8();
    std::ranges::copy(in.bytes(query.client.network.size()), query.client.network.begin());
    return query;
}

}  // namespace

void QueryCounts::count(const NotedQuery& query) {
    const auto type = std::find(types.begin(), types.end(), query.type);
    if (!query.name.empty()) ++by_type[static_cast<std::size_t>(type - types.begin())];
    ++by_rcode[std::min<std::size_t>(query.rcode, by_rcode.size() - 1)];
    ++by_outcome[static_cast<std::size_t>(query.outcome)];
    ++by_carrier[static_cast<std::size_t>(query.over)];
}

QueryCounts& QueryCounts::operator+=(const QueryCounts& part) {
    add(by_type, part.by_type);
    add(by_rcode, part.by_rcode);
    add(by_outcome, part.by_outcome);
    add(by_carrier, part.by_carrier);
    return *this;
}

QueryReport merged(std::vector<QueryReport> reports) {
    QueryReport sum;
    for (QueryReport& report : reports) {
        sum.level = report.level;
        sum.counts += report.counts;
        std::move(report.queries.begin(), report.queries.end(), std::back_inserter(sum.queries));
    }
    std::ranges::stable_sort(sum.queries, {}, &LoggedQuery::age);
    if (sum.queries.size() > QueryLog::told_max) sum.queries.resize(QueryLog::told_max);
    return sum;
}

DailyKey::Today DailyKey::at(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (!today_ || now >= today_->until) today_ = Today{KeyedHash(random_), now + lasts};
    return *today_;
}

/// What stands in front of a name.
struct QueryLog::Record {
    Clock::time_point asked_at;
    LoggedClient client;
    std::uint16_t type;
    std::uint16_t extended_error;
    std::uint8_t name_octets;
    std::uint8_t rcode;
    AskedOver over;
    Outcome outcome;

    std::size_t octets() const { return sizeof(Record) + name_octets; }
};

void QueryLog::apply(const QueryLogSettings& settings, std::size_t workers) {
    if (settings == settings_) return;
    settings_ = settings;
    counts_ = {};
    const bool keeps = settings.level >= Level::names;
    ring_ = {};
    if (keeps)
        ring_.resize(
            static_cast<std::size_t>(settings.bytes_max / std::max<std::size_t>(workers, 1)));
    first_ = used_ = 0;
}

LoggedClient QueryLog::client(const IpAddress& address, const std::optional<net::MacAddress>& mac,
                              Clock::time_point now) {
    if (!today_ || now >= today_->until) today_ = key_.at(now);
    const TallyKey key = mac ? key_of(LinkName{}, *mac) : key_of(LinkName{}, address);
    LoggedClient client;
    client.pseudonym = static_cast<std::uint32_t>(today_->hash(key));
    if (const auto* v4 = std::get_if<Ipv4>(&address)) {
        client.family = family_ipv4;
        std::copy_n(v4->octets.begin(), v4_network_octets, client.network.begin());
    } else {
        client.family = family_ipv6;
        std::copy_n(std::get<Ipv6>(address).octets.begin(), v6_network_octets,
                    client.network.begin());
    }
    return client;
}

void QueryLog::note(const NotedQuery& query) {
    if (!is_on()) return;
    counts_.count(query);
    Record record{};
    record.asked_at = query.asked_at;
    if (wants_clients()) record.client = query.client;
    record.type = query.type;
    record.extended_error = query.extended_error;
    record.name_octets = static_cast<std::uint8_t>(query.name.size());
    record.rcode = query.rcode;
    record.over = query.over;
    record.outcome = query.outcome;
    if (record.octets() > ring_.size()) return;
    while (ring_.size() - used_ < record.octets()) drop_oldest();
    std::array<std::uint8_t, sizeof record> octets;
    std::memcpy(octets.data(), &record, sizeof record);
    put(octets);
    put(query.name);
}

void QueryLog::put(Bytes octets) {
    const std::size_t at = (first_ + used_) % ring_.size();
    const std::size_t in_a_row = std::min(octets.size(), ring_.size() - at);
    std::copy_n(octets.begin(), in_a_row, ring_.begin() + static_cast<std::ptrdiff_t>(at));
    std::copy(octets.begin() + static_cast<std::ptrdiff_t>(in_a_row), octets.end(), ring_.begin());
    used_ += octets.size();
}

/// `at` counts from the oldest record's beginning.
void QueryLog::get(std::size_t at, std::span<std::uint8_t> octets) const {
    const std::size_t from = (first_ + at) % ring_.size();
    const std::size_t in_a_row = std::min(octets.size(), ring_.size() - from);
    std::copy_n(ring_.begin() + static_cast<std::ptrdiff_t>(from), in_a_row, octets.begin());
    std::copy_n(ring_.begin(), octets.size() - in_a_row,
                octets.begin() + static_cast<std::ptrdiff_t>(in_a_row));
}

QueryLog::Record QueryLog::record_at(std::size_t at) const {
    std::array<std::uint8_t, sizeof(Record)> octets;
    get(at, octets);
    Record record;
    std::memcpy(&record, octets.data(), sizeof record);
    return record;
}

void QueryLog::drop_oldest() {
    const std::size_t octets = record_at(0).octets();
    first_ = (first_ + octets) % ring_.size();
    used_ -= octets;
}

void QueryLog::forget_old(Clock::time_point now) {
    while (used_ != 0 && record_at(0).asked_at + settings_.kept_for <= now) drop_oldest();
}

void QueryLog::tell(QueryReport& report, Clock::time_point now) const {
    report.level = settings_.level;
    report.counts += counts_;
    std::vector<std::size_t> places;
    for (std::size_t at = 0; at < used_; at += record_at(at).octets()) places.push_back(at);
    const std::size_t skipped = places.size() - std::min(places.size(), told_max);
    for (std::size_t i = places.size(); i-- > skipped;) {
        const Record record = record_at(places[i]);
        if (record.asked_at + settings_.kept_for > now)
            report.queries.push_back(told(places[i], record, now));
    }
}

LoggedQuery QueryLog::told(std::size_t at, const Record& record, Clock::time_point now) const {
    LoggedQuery query;
    query.age = std::chrono::duration_cast<std::chrono::seconds>(
        std::max(now - record.asked_at, Clock::duration::zero()));
    query.over = record.over;
    query.outcome = record.outcome;
    query.rcode = record.rcode;
    query.extended_error = record.extended_error;
    query.type = record.type;
    query.client = record.client;
    if (record.name_octets != 0) {
        Buffer name(record.name_octets);
        get(at + sizeof(Record), name);
        Reader in(name);
        query.name = dns::read_name(in);
    }
    return query;
}

void write(Writer& out, const QueryReport& report) {
    out.u8(static_cast<std::uint8_t>(report.level));
    write_numbers(out, report.counts.by_type);
    write_numbers(out, report.counts.by_rcode);
    write_numbers(out, report.counts.by_outcome);
    write_numbers(out, report.counts.by_carrier);
    write_list(out, report.queries, [&](const LoggedQuery& one) { write_query(out, one); });
}

Result<QueryReport> parse_query_report(Bytes message) {
    Reader in(message);
    QueryReport report;
    report.level = read_enum(in, QueryLogSettings::Level::full);
    read_numbers(in, report.counts.by_type);
    read_numbers(in, report.counts.by_rcode);
    read_numbers(in, report.counts.by_outcome);
    read_numbers(in, report.counts.by_carrier);
    report.queries = read_list<LoggedQuery>(in, read_query);
    if (!in.finished()) return in.error("the forwarder's queries");
    return report;
}

}  // namespace porchlight::forwarder
