#include "forwarder/query_log.h"

#include <doctest/doctest.h>

#include "core/address_field.h"
#include "forwarder/messages.h"

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;
using Level = QueryLogSettings::Level;

const Clock::time_point start = Clock::time_point() + 1000h;

struct Fixture {
    explicit Fixture(QueryLogSettings settings, std::size_t workers = 1) {
        apply(settings, workers);
    }
    void apply(QueryLogSettings settings, std::size_t workers = 1) {
        if (settings.bytes_max == 0) settings.bytes_max = 1 << 20;
        log.apply(settings, workers);
    }
    void note(std::string_view name, Clock::time_point now = start, LoggedClient client = {}) {
        const dns::Name noted = name_of(name);
        NotedQuery query;
        query.asked_at = now;
        query.over = AskedOver::dot;
        query.outcome = Outcome::cached;
        query.rcode = 3;
        query.extended_error = 15;
        query.type = dns::type::aaaa;
        query.name = noted.wire();
        query.client = client;
        log.note(query);
    }
    QueryReport told(Clock::time_point now = start) const {
        QueryReport report;
        log.tell(report, now);
        return report;
    }

    SeededRandom random{1};
    DailyKey key{random};
    QueryLog log{key};
};

std::string number(int i) {
    return std::to_string(i) + ".example";
}

}  // namespace

TEST_SUITE("forwarder/query_log") {
    TEST_CASE("off, nothing is noted, not even counted") {
        Fixture f({});
        CHECK(!f.log.is_on());
        f.note("www.example");
        CHECK(f.told() == QueryReport());
    }

    TEST_CASE("counters keep no name, names no client, full both") {
        const LoggedClient client{7, 4, {192, 168, 1}};
        for (const Level level : {Level::counters, Level::names, Level::full}) {
            Fixture f({level});
            CHECK(f.log.is_on());
            CHECK(f.log.wants_clients() == (level == Level::full));
            f.note("www.example", start, client);
            f.log.forget_old(start);
            const QueryReport report = f.told(start + 3s);
            CHECK(report.level == level);
            CHECK(report.counts.by_type[1] == 1);
            CHECK(report.counts.by_rcode[3] == 1);
            CHECK(report.counts.by_outcome[1] == 1);
            CHECK(report.counts.by_carrier[1] == 1);
            REQUIRE(report.queries.size() == (level == Level::counters ? 0 : 1));
            if (level == Level::counters) continue;
            const LoggedQuery wanted{3s,
                                     AskedOver::dot,
                                     Outcome::cached,
                                     3,
                                     15,
                                     dns::type::aaaa,
                                     name_of("www.example"),
                                     level == Level::full ? client : LoggedClient()};
            CHECK(report.queries.front() == wanted);
        }
    }

    TEST_CASE("the newest are told first, and the oldest make room") {
        Fixture f({Level::names, 16384});
        for (int i = 0; i < 5000; ++i) f.note(number(i), start + i * 1ms);
        const auto queries = f.told(start + 5s).queries;
        REQUIRE(queries.size() > 100);
        CHECK(queries.size() < 16384 / 20);
        for (std::size_t i = 0; i < queries.size(); ++i)
            CHECK(*queries[i].name == name_of(number(4999 - static_cast<int>(i))));
    }

    TEST_CASE("the memory is shared by the workers, and a report has an end") {
        QueryLogSettings settings{Level::names, 1 << 20};
        Fixture alone(settings), one_of_many(settings, 64);
        for (int i = 0; i < 20000; ++i) {
            alone.note(number(i));
            one_of_many.note(number(i));
        }
        CHECK(alone.told().queries.size() == QueryLog::told_max);
        const std::size_t few = one_of_many.told().queries.size();
        CHECK(few > 64);
        CHECK(few < 1024);
        std::vector<QueryReport> reports = {alone.told(), one_of_many.told(), alone.told()};
        reports[1].queries.front().age = 77s;
        const QueryReport sum = merged(reports);
        CHECK(sum.queries.size() == QueryLog::told_max);
        CHECK(sum.counts.by_type[1] == 60000);
        CHECK(sum.level == Level::names);
        reports = {one_of_many.told(), one_of_many.told()};
        reports[0].queries.front().age = 77s;
        CHECK(merged(reports).queries.back().age == 77s);
    }

    TEST_CASE("what is older than it may be is not told, and goes without being asked for") {
        Fixture f({Level::names, 1 << 20, 60s});
        f.note("old.example");
        f.note("new.example", start + 30s);
        CHECK(f.told(start + 59s).queries.size() == 2);
        CHECK(f.told(start + 60s).queries.size() == 1);
        f.log.forget_old(start + 60s);
        CHECK(f.told(start).queries.size() == 1);
        CHECK(*f.told(start).queries[0].name == name_of("new.example"));
        f.log.forget_old(start + 90s);
        CHECK(f.told(start).queries.empty());
        CHECK(f.told(start).counts.by_type[1] == 2);
    }

    TEST_CASE("another level forgets what was noted; the same one does not") {
        Fixture f({Level::full});
        f.note("www.example");
        f.apply({Level::full});
        CHECK(f.told().queries.size() == 1);
        f.apply({Level::names});
        CHECK(f.told() == QueryReport{Level::names, {}, {}});
        f.log.apply({Level::names, 1 << 20, 9'000'000s}, 1);
        for (int i = 0; i < 1000; ++i) f.note(number(i));
        f.log.apply({Level::names, 16384, 9'000'000s}, 1);
        f.note("www.example");
        CHECK(f.told().queries.size() == 1);
    }

    TEST_CASE("a name of any length fits, and none at all is one, wherever the ring ends") {
        std::string longest;
        for (int i = 0; i < 3; ++i) longest += std::string(63, 'x') + ".";
        longest += std::string(61, 'y');
        Fixture f({Level::names, 16384});
        for (int i = 0; i < 999; ++i) {
            f.note(longest);
            f.note(".");
            NotedQuery nameless;
            nameless.asked_at = start;
            f.log.note(nameless);
            const auto queries = f.told().queries;
            CHECK(!queries[0].name);
            CHECK(queries[1].name == dns::Name());
            CHECK(queries[2].name == name_of(longest));
        }
        CHECK(f.told().counts.by_outcome[4] == 999);
        CHECK(f.told().counts.by_type.back() == 0);
        CHECK(f.told(start - 1s).queries[0].age == 0s);
    }

    TEST_CASE("a host has one pseudonym by all its addresses, for a day, and its network alone") {
        Fixture f({Level::full});
        QueryLog other(f.key);  // of another worker
        other.apply({Level::full}, 1);
        const net::MacAddress mac{{2, 0, 0, 0, 0, 1}};
        const IpAddress v4 = *parse_address("192.168.1.77");
        const IpAddress v6 = *parse_address("2001:db8:1:ff77:1:2:3:4");
        const LoggedClient first = f.log.client(v4, mac, start);
        CHECK(first.family == family_ipv4);
        CHECK(first.network == std::array<std::uint8_t, 7>{192, 168, 1});
        const LoggedClient second = other.client(v6, mac, start + 23h);
        CHECK(second.family == family_ipv6);
        CHECK(second.network == std::array<std::uint8_t, 7>{0x20, 0x01, 0x0d, 0xb8, 0, 1, 0xff});
        CHECK(second.pseudonym == first.pseudonym);
        const auto pseudonym = [&](const char* address, std::optional<net::MacAddress> by) {
            return f.log.client(*parse_address(address), by, start).pseudonym;
        };
        CHECK(pseudonym("192.168.1.77", std::nullopt) != first.pseudonym);
        CHECK(pseudonym("192.168.1.77", std::nullopt) != pseudonym("192.168.1.78", std::nullopt));
        CHECK(pseudonym("192.168.1.77", net::MacAddress{{2, 0, 0, 0, 0, 2}}) != first.pseudonym);
        // Another day, another key, to all workers alike.
        const LoggedClient tomorrow = f.log.client(v4, mac, start + 24h);
        CHECK(tomorrow.pseudonym != first.pseudonym);
        CHECK(other.client(v4, mac, start + 25h).pseudonym == tomorrow.pseudonym);
    }

    TEST_CASE(
        "a report survives a round trip; what is cut, or says what nobody knows, is refused") {
        QueryReport report;
        report.level = Level::full;
        report.counts.by_type[2] = 1ull << 40;
        report.counts.by_carrier[1] = 3;
        report.queries = {{5s,
                           AskedOver::doh,
                           Outcome::refused,
                           5,
                           18,
                           1,
                           name_of("a.example"),
                           {9, 4, {1, 2, 3}}},
                          {}};
        Writer out;
        write(out, report);
        Buffer octets = *out.take();
        const auto read = parse_query_report(octets);
        REQUIRE(read);
        CHECK(*read == report);
        for (std::size_t size = 0; size < octets.size(); ++size)
            CHECK(!parse_query_report(Bytes(octets).first(size)));
        octets.push_back(0);
        CHECK(!parse_query_report(octets));
        octets.pop_back();
        octets[0] = 4;
        CHECK(!parse_query_report(octets));
    }
}

}  // namespace porchlight::forwarder
