#include "forwarder/cache.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

#include "forwarder/messages.h"
#include "hex.h"

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start = Clock::time_point() + 1000h;

struct Fixture {
    explicit Fixture(Cache::Limits limits = {}) : cache(limits, random) {}

    void store(const ResponseMessage& response, std::chrono::seconds lifetime,
               Clock::time_point now = start, bool dnssec_ok = false) {
        const Buffer octets = response.octets();
        const auto offsets = response.ttl_offsets();
        cache.store({name_of(response.name), response.type, dnssec_ok, false},
                    {octets, offsets, lifetime, 86400s}, now);
    }

    /// The answer, or nothing at all.
    Buffer answer(const QueryMessage& message, Clock::time_point now = start) {
        const ParsedQuery parsed(message);
        Writer out;
        const bool hit = cache.answer(parsed.query, everybody, now, out).has_value();
        CHECK(hit == (out.size() != 0));
        return *out.take();
    }

    Buffer stale(std::string_view name, Clock::time_point now) {
        Writer out;
        cache.answer_stale({name_of(name), dns::type::a, false, false}, now, out);
        return *out.take();
    }

    SeededRandom random{1};
    Cache cache;
};

std::uint32_t ttl_of(const Buffer& answer, std::size_t at) {
    REQUIRE(answer.size() >= at + 4);
    return Reader(Bytes(answer).subspan(at)).u32();
}

}  // namespace

TEST_SUITE("forwarder/cache") {
    TEST_CASE("a hit carries the query's ID, flags and letter case, and TTLs counted down") {
        Fixture f;
        const ResponseMessage response{.ttls = {300, 600}};
        f.store(response, 300s);
        const Buffer answer = f.answer({.id = 0xbeef, .name = "wWw.eXample"}, start + 100s);
        REQUIRE(answer.size() == response.octets().size());
        CHECK(equal(Bytes(answer).first(4), hex("beef 8180")));
        CHECK(equal(Bytes(answer).subspan(12, 13), name_of("wWw.eXample").wire()));
        CHECK(ttl_of(answer, response.ttl_at(0)) == 200);
        CHECK(ttl_of(answer, response.ttl_at(1)) == 500);
    }

    TEST_CASE("the key is name, type, DO, CD and view") {
        Fixture f;
        f.store({}, 300s);
        CHECK(!f.answer({}).empty());
        CHECK(f.answer({.name = "other.example"}).empty());
        CHECK(f.answer({.name = "example"}).empty());
        CHECK(f.answer({.type = dns::type::aaaa}).empty());
        CHECK(f.answer({.edns = true, .dnssec_ok = true}).empty());
        f.store({.payload = 7}, 300s, start, true);
        CHECK(f.answer({.edns = true, .dnssec_ok = true}).back() == 7);
        CHECK(f.answer({}).back() == 1);
        ParsedQuery disabled(QueryMessage{});
        disabled.query.flags |= dns::flag::checking_disabled;
        Writer out;
        CHECK(!f.cache.answer(disabled.query, everybody, start, out));
    }

    TEST_CASE("what one view's hosts are told no other's hear, fresh or stale") {
        Fixture f;
        const auto store = [&](View view, std::uint8_t payload) {
            const ResponseMessage response{.payload = payload};
            const Buffer octets = response.octets();
            f.cache.store({name_of(response.name), response.type, false, false, false, view},
                          {octets, response.ttl_offsets(), 300s}, start);
        };
        const auto heard = [&](View view, std::chrono::seconds after) -> int {
            Writer out;
            const ParsedQuery query(QueryMessage{});
            if (after < 300s)
                f.cache.answer(query.query, view, start + after, out);
            else
                f.cache.answer_stale(
                    {name_of("www.example"), dns::type::a, false, false, false, view},
                    start + after, out);
            return out.size() == 0 ? 0 : out.view().back();
        };
        store(7, 7);
        for (const auto after : {1s, 400s}) {
            CHECK(heard(7, after) == 7);
            for (const View other : {everybody, View{6}, View{255}})
                CHECK(heard(other, after) == 0);
        }
        store(everybody, 1);
        CHECK(heard(7, 1s) == 7);
        CHECK(heard(everybody, 1s) == 1);
        const dns::Question of_seven{name_of("www.example"), dns::type::a, false, false, false, 7};
        f.cache.store(of_seven, {{}, {}, 0s}, start);
        CHECK(heard(7, 1s) == 0);
        CHECK(heard(everybody, 1s) == 1);
    }

    TEST_CASE("a lifetime is kept for half a year, and beyond counts as that") {
        Fixture f;
        f.store({.ttls = {4000000}}, 4000000s);
        CHECK(!f.answer({}, start + 3999999s).empty());
        CHECK(f.answer({}, start + 4000000s).empty());
        f.store({.ttls = {4000000}}, std::chrono::seconds((1 << 24) + 5));
        CHECK(!f.answer({}, start + 3999999s).empty());
    }

    TEST_CASE("what was said along is said again to all who hear the answer") {
        Fixture f;
        const auto stored_with = [&](std::optional<std::uint16_t> extended_error) {
            const ResponseMessage response{};
            const Buffer octets = response.octets();
            const auto offsets = response.ttl_offsets();
            for (const bool disabled : {false, true})
                f.cache.store({name_of("www.example"), dns::type::a, true, disabled},
                              {octets, offsets, 300s, 86400s, extended_error}, start);
            const ParsedQuery query({.edns = true, .dnssec_ok = true});
            Writer out;
            const auto hit = f.cache.answer(query.query, everybody, start, out);
            REQUIRE(hit);
            const auto stale = f.cache.answer_stale(
                {name_of("www.example"), dns::type::a, true, true}, start + 400s, out);
            REQUIRE(stale);
            CHECK(stale->extended_error == hit->extended_error);
            CHECK(f.cache.counts().entries == 2);
            return hit->extended_error;
        };
        CHECK(!stored_with(std::nullopt));
        CHECK(stored_with(15) == 15);
        CHECK(stored_with(63) == 63);
        CHECK(!stored_with(64));
    }

    TEST_CASE("past its lifetime an answer is stale, and past that gone") {
        Fixture f({.stale_max = 3600s});
        const ResponseMessage response{};
        f.store(response, 300s);
        CHECK(!f.answer({}, start + 299s).empty());
        CHECK(f.answer({}, start + 300s).empty());
        CHECK(ttl_of(f.stale("WWW.example", start + 100s), response.ttl_at(0)) == 200);
        CHECK(ttl_of(f.stale("WWW.example", start + 400s), response.ttl_at(0)) == 30);
        CHECK(!f.stale("www.example", start + 3899s).empty());
        CHECK(f.stale("www.example", start + 3900s).empty());
    }

    TEST_CASE("what another worker stored a moment after our clock was read is fresh") {
        Fixture f;
        f.store({.ttls = {300}}, 300s, start + 1s);
        const Buffer answer = f.answer({}, start);
        CHECK(ttl_of(answer, ResponseMessage{}.ttl_at(0)) == 300);
    }

    TEST_CASE("a newer answer takes the older one's place") {
        Fixture f;
        f.store({.payload = 1}, 300s);
        f.store({.payload = 2}, 300s);
        CHECK(f.answer({}).back() == 2);
        CHECK(f.cache.counts().entries == 1);
    }

    TEST_CASE("what cannot be kept is not kept") {
        Fixture f({.bytes_max = 16 * 16384});
        f.store({}, 0s);
        CHECK(f.answer({}).empty());
        f.store({.filling = 10000}, 300s);
        CHECK(f.answer({}).empty());
        const Buffer octets = ResponseMessage{}.octets();
        const std::uint16_t beyond[] = {static_cast<std::uint16_t>(octets.size() - 3)};
        f.cache.store({name_of("www.example"), 1, false, false}, {octets, beyond, 300s}, start);
        f.cache.store({name_of("www.example"), 1, false, false},
                      {Bytes(octets).first(20), {}, 300s}, start);
        CHECK(f.cache.counts().entries == 0);
        Fixture none({.bytes_max = 0});
        none.store({}, 300s);
        CHECK(none.answer({}).empty());
    }

    TEST_CASE("what cannot be kept takes the place of what was true before it") {
        const auto left = [](auto store_over) {
            Fixture f({.bytes_max = 16 * 16384});
            f.store({}, 300s);
            f.store({.name = "other.example"}, 300s);
            store_over(f);
            CHECK(!f.stale("other.example", start).empty());
            return f.stale("www.example", start).size() + f.cache.counts().entries;
        };
        CHECK(left([](Fixture& f) { f.store({}, 0s); }) == 1);
        CHECK(left([](Fixture& f) { f.store({.filling = 10000}, 300s); }) == 1);
        CHECK(left([](Fixture& f) {
                  f.store({.ttls = std::vector<std::uint32_t>(256, 300)}, 300s);
              }) == 1);
        CHECK(left([](Fixture& f) { f.store({}, 0s, start, true); }) > 1);  // another question
    }

    TEST_CASE("an answer that is asked for again and nearly over is to be refreshed, once") {
        const auto asks = [](Fixture& f, std::chrono::seconds after) {
            const ParsedQuery query(QueryMessage{});
            Writer out;
            const auto hit = f.cache.answer(query.query, everybody, start + after, out);
            REQUIRE(hit);
            return hit->refresh;
        };
        Fixture f;
        f.store({}, 1000s);
        CHECK(!asks(f, 990s));  // who asked for it once may be gone
        CHECK(asks(f, 991s));
        CHECK(!asks(f, 992s));
        f.store({}, 1000s);
        CHECK(!asks(f, 1s));
        CHECK(!asks(f, 899s));
        CHECK(asks(f, 951s));
        f.store({}, 1000s);
        (void)f.stale("www.example", start + 991s);
        (void)f.stale("www.example", start + 991s);
        CHECK(asks(f, 992s));
        // Not all that were stored together at one time.
        int early = 0;
        for (int i = 0; i < 64; ++i) {
            const std::string name = std::to_string(i) + ".example";
            f.store({.name = name}, 1000s);
            const ParsedQuery query({.name = name});
            Writer out;
            (void)f.cache.answer(query.query, everybody, start, out);
            early += f.cache.answer(query.query, everybody, start + 925s, out)->refresh;
        }
        CHECK(early > 8);
        CHECK(early < 56);
    }

    TEST_CASE("AD is kept with an answer, told to who wants it, and gone with its time") {
        Fixture f;
        const auto says_ad = [](const Buffer& answer) {
            REQUIRE(answer.size() > 4);
            return (answer[3] & dns::flag::authentic_data) != 0;
        };
        f.store({.authentic = true}, 300s);
        f.store({.authentic = true}, 300s, start, true);
        f.store({.name = "other.example"}, 300s);
        CHECK(says_ad(f.answer({.authentic_data = true})));
        CHECK(says_ad(f.answer({.edns = true, .dnssec_ok = true})));
        CHECK(!says_ad(f.answer({})));
        CHECK(!says_ad(f.answer({.name = "other.example", .authentic_data = true})));
        CHECK(says_ad(f.stale("www.example", start + 299s)));
        CHECK(!says_ad(f.stale("www.example", start + 300s)));
        // Nor does a later answer without it inherit any.
        f.store({}, 300s);
        CHECK(!says_ad(f.answer({.authentic_data = true})));
    }

    TEST_CASE("what was put off says again that it is time, in another second") {
        Fixture f;
        const ParsedQuery query(QueryMessage{});
        const auto is_time = [&](std::chrono::seconds age) {
            Writer out;
            const auto hit = f.cache.answer(query.query, everybody, start + age, out);
            REQUIRE(hit);
            return hit->refresh;
        };
        f.store({.ttls = {1000}}, 1000s);
        CHECK(!is_time(1s));
        CHECK(is_time(990s));
        CHECK(!is_time(991s));  // the control: it is said once
        const dns::Question question = dns::question_of(query.query);
        f.cache.put_off(question, start + 991s);
        CHECK(!is_time(991s));
        CHECK(is_time(992s));
        CHECK(!is_time(993s));
        f.cache.put_off({name_of("unknown.example"), dns::type::a}, start + 993s);
        CHECK(!is_time(994s));
    }

    TEST_CASE("no TTL leaves above the cap") {
        Fixture f;
        const ResponseMessage response{.ttls = {0x80000000, 5000000}};
        f.store(response, 86400s);
        CHECK(ttl_of(f.answer({}), response.ttl_at(0)) == 86400);
        CHECK(ttl_of(f.answer({}), response.ttl_at(1)) == 86400);
    }

    TEST_CASE("memory stays within bounds, and what is asked for outlives what is not") {
        Fixture f({.bytes_max = 16 * 65536});
        f.store({.name = "favourite.example"}, 3600s);
        std::size_t recent = 0;
        for (int i = 0; i < 100000; ++i) {
            const std::string name = "n" + std::to_string(i) + ".example";
            f.store({.name = name, .ttls = std::vector<std::uint32_t>(1 + i % 5, 3600)}, 3600s);
            if (i % 100 == 0) CHECK(!f.answer({.name = "favourite.example"}).empty());
            if (i % 7 == 0) {
                recent += f.answer({.name = name}).empty() ? 0 : 1;
                f.answer({.name = "n" + std::to_string(i - i / 2) + ".example"});
            }
        }
        CHECK(recent == 100000 / 7 + 1);
        const auto counts = f.cache.counts();
        CHECK(counts.octets <= 16 * 65536);
        CHECK(counts.octets > 16 * 50000);
        CHECK(counts.entries > 4000);
        std::size_t found = 0;
        for (int i = 0; i < 100000; ++i)
            found += f.answer({.name = "n" + std::to_string(i) + ".example"}).empty() ? 0 : 1;
        CHECK(found + 1 == counts.entries);
    }

    TEST_CASE("entries of every size go round the log unharmed") {
        Fixture f({.bytes_max = 16 * 16384});
        SeededRandom sizes(7);
        for (int i = 0; i < 20000; ++i) {
            const std::string name = "s" + std::to_string(sizes.below(400)) + ".example";
            const auto filling = static_cast<std::size_t>(sizes.below(i % 50 == 0 ? 4000 : 100));
            const ResponseMessage response{
                .name = name, .payload = static_cast<std::uint8_t>(i % 250), .filling = filling};
            f.store(response, 3600s);
            Buffer expected = response.octets();
            expected[0] = 0x12, expected[1] = 0x34;
            if (expected.size() < 3500) CHECK(f.answer({.name = name}) == expected);
        }
    }

    TEST_CASE("flush and resize forget") {
        Fixture f;
        f.store({}, 300s);
        f.cache.flush();
        CHECK(f.answer({}).empty());
        f.store({}, 300s);
        f.cache.resize({});
        CHECK(!f.answer({}).empty());
        f.cache.resize({.bytes_max = 1 << 20});
        CHECK(f.answer({}).empty());
        f.store({}, 300s);
        CHECK(!f.answer({}).empty());
    }

    TEST_CASE("workers share it") {
        Fixture f({.bytes_max = 16 * 16384});
        std::atomic<std::size_t> wrong{0};
        const auto work = [&](std::uint8_t worker) {
            SeededRandom random(worker);
            Writer out;
            for (int i = 0; i < 20000; ++i) {
                const auto which = static_cast<std::uint8_t>(random.below(250));
                const std::string name = "n" + std::to_string(which) + ".example";
                const ParsedQuery query(QueryMessage{.name = name});
                out.truncate(0);
                if (f.cache.answer(query.query, everybody, start, out)) {
                    if (out.view().back() != which) ++wrong;
                } else {
                    const ResponseMessage response{
                        .name = name,
                        .ttls = std::vector<std::uint32_t>(1 + which % 20, 300),
                        .payload = which};
                    const Buffer octets = response.octets();
                    const auto offsets = response.ttl_offsets();
                    f.cache.store({name_of(name), 1, false, false}, {octets, offsets, 300s}, start);
                }
                if (i % 5000 == 4999) f.cache.flush();
            }
        };
        {
            std::jthread one(work, std::uint8_t{1}), two(work, std::uint8_t{2}),
                three(work, std::uint8_t{3});
        }
        CHECK(wrong == 0);
    }
}

}  // namespace porchlight::forwarder
