#include "forwarder/lookup.h"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>

#include "core/random.h"
#include "dns/answer.h"
#include "dns/edns.h"
#include "forwarder/admission.h"
#include "forwarder/cache.h"
#include "forwarder/recent_failures.h"
#include "forwarder/some_root.h"

// What needs an upstream that answers is in tests/forwarder/test_upstream.py.

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

struct Home {
    struct Heard {
        Buffer response;
        std::optional<std::uint16_t> extended_error;
    };

    Result<void> apply(const Settings& settings) {
        return lookup->apply(std::make_shared<const Settings>(settings));
    }
    void ask(const char* name, std::uint16_t type = dns::type::a, bool from_companion = false) {
        lookup->find({*dns::parse_name(name), type}, from_companion, [this](const Found& found) {
            heard.push_back(
                {Buffer(found.response.begin(), found.response.end()), found.extended_error});
        });
    }
    std::uint16_t rcode(std::size_t which) const { return heard[which].response[3] & 0x0f; }

    asio::io_context loop{1};
    SystemTime time;
    SystemRandom random;
    Cache cache{{.bytes_max = 1 << 20}, random};
    Serving serving;
    RecentFailures failures;
    std::optional<Lookup> lookup{std::in_place, loop.get_executor(), cache, failures, time,
                                 serving};
    std::vector<Heard> heard;
};

TEST_SUITE("forwarder/lookup") {
    TEST_CASE("whom upstreams are trusted by is made anew only where it is another") {
        const SystemTime time;
        Settings settings;
        const auto is_made = [&](const Settings* before, const Settings& after) {
            const auto trust = Lookup::trust_for(before, after, time);
            REQUIRE(trust);
            return *trust != nullptr;
        };
        settings.roots_pem = some_root();
        CHECK(!is_made(nullptr, settings));
        const Settings without = settings;
        settings.upstreams = {
            {*dns::parse_name("dns.example"), {*parse_endpoint("192.0.2.1", 853)}}};
        CHECK(is_made(nullptr, settings));
        CHECK(is_made(&without, settings));
        CHECK(!is_made(&settings, settings));
        Settings other = settings;
        other.upstreams.front().adn = *dns::parse_name("other.example");
        CHECK(!is_made(&settings, other));
        CHECK(!is_made(&settings, without));
        other = settings;
        other.network = "another";
        CHECK(is_made(&settings, other));
        other = settings;
        other.dates_count = false;
        CHECK(is_made(&settings, other));
        other = settings;
        other.ttl_min = 1s;
        CHECK(is_made(&settings, other));
        other = settings;
        other.roots_pem = some_root();
        CHECK(is_made(&settings, other));
        other.roots_pem.clear();
        CHECK(Lookup::trust_for(&settings, other, time).error().code == Errc::malformed);
    }

    TEST_CASE("own names are answered in place, without settings, too") {
        Home home;
        dns::Query query;
        const Buffer message = [] {
            Writer out;
            out.u16(7);
            out.u16(0x0100);
            out.u16(1);
            out.zeros(6);
            dns::write(out, *dns::parse_name("A.LocalHost"));
            out.u16(dns::type::a);
            out.u16(dns::class_in);
            return *out.take();
        }();
        REQUIRE(dns::parse_query(message, query) == dns::Verdict::answer);
        Writer out;
        out.u16(0xffff);  // what was there before stays
        REQUIRE(home.lookup->answer_locally(query, out));
        const auto answer = dns::parse_answer(out.view().subspan(2), dns::question_of(query), {});
        REQUIRE(answer);
        CHECK(answer->kind == dns::Answer::Kind::positive);
        CHECK(home.lookup->counters().own_answers == 1);

        home.ask("localhost");
        REQUIRE(home.heard.size() == 1);
        CHECK(home.rcode(0) == dns::rcode::no_error);
    }

    TEST_CASE("who asked is known again while his answer is read, also where others joined him") {
        Home home;
        REQUIRE(home.apply({}));
        int heard = 0;
        const auto ask = [&](const char* address) {
            const Serving::During during(home.serving, host_of(*parse_address(address)));
            home.lookup->find({*dns::parse_name("www.example.org"), dns::type::a}, false,
                              [&](const Found&) {
                                  CHECK(home.serving.host().family == 4);
                                  CHECK(home.serving.host().octets[3] == 7);
                                  ++heard;
                              });
        };
        ask("192.168.1.7");
        ask("192.168.1.8");
        CHECK(home.serving.host().family == 0);
        home.loop.run();
        CHECK(heard == 2);
        CHECK(home.serving.host().family == 0);
    }

    TEST_CASE("without an upstream a question fails, with the reason, once its turn has come") {
        Home home;
        REQUIRE(home.apply({}));
        home.ask("example.org");
        CHECK(home.heard.empty());
        home.loop.poll();
        REQUIRE(home.heard.size() == 1);
        CHECK(home.rcode(0) == dns::rcode::server_failure);
        CHECK(home.heard[0].extended_error == dns::extended_error::network_error);
        home.ask("example.org");  // remembered for a second: no turn of the loop is needed
        CHECK(home.heard.size() == 2);
        CHECK(home.lookup->counters().failures_recent == 1);
    }

    TEST_CASE("what is stale is served when nobody can be asked") {
        Home home;
        REQUIRE(home.apply({}));
        const dns::Question question{*dns::parse_name("example.org"), dns::type::a};
        Buffer response = dns::empty_response(question, dns::rcode::no_name);
        home.cache.store(question, {response, {}, 1s}, home.time.now() - 2s);
        home.ask("example.org");
        home.loop.poll();
        REQUIRE(home.heard.size() == 1);
        CHECK(home.rcode(0) == dns::rcode::no_name);
        CHECK(home.heard[0].extended_error == dns::extended_error::stale_nxdomain);
    }

    TEST_CASE("prefetching has a twentieth of the places in flight, the workers' all together") {
        Home home;
        Settings settings;
        settings.limits.in_flight_max = 160;
        const auto prefetched_by_each_of = [&](unsigned workers) {
            home.lookup.emplace(home.loop.get_executor(), home.cache, home.failures, home.time,
                                home.serving, Lookup::Whole{.workers = workers});
            REQUIRE(home.apply(settings));
            for (int i = 0; i < 20; ++i)
                home.lookup->refresh({*dns::parse_name(std::to_string(i) + ".example"), 1});
            return home.lookup->counters().prefetches;
        };
        CHECK(prefetched_by_each_of(1) == 8);
        CHECK(prefetched_by_each_of(2) == 4);
        CHECK(prefetched_by_each_of(3) == 2);
        CHECK(prefetched_by_each_of(9) == 0);
        CHECK(home.lookup->counters().background_put_off == 0);
    }

    TEST_CASE("where places are scarce nothing is prefetched") {
        Home home;
        Settings settings;
        settings.limits.connections_max = 4;
        Admission admission(home.random);
        home.lookup.emplace(home.loop.get_executor(), home.cache, home.failures, home.time,
                            home.serving, Lookup::Whole{.admission = &admission});
        REQUIRE(home.apply(settings));
        std::vector<Client*> open;
        const auto connect = [&](std::uint8_t host) {
            open.push_back(
                admission.enter({Ipv4{{192, 168, 1, host}}}, settings.limits, home.time.now()));
        };
        const auto refresh = [&](const char* name) {
            home.lookup->refresh({*dns::parse_name(name), dns::type::a});
        };
        connect(1);
        connect(2);
        refresh("a.example");
        CHECK(home.lookup->counters().prefetches == 1);
        connect(3);
        refresh("b.example");
        CHECK(home.lookup->counters().prefetches == 1);
        CHECK(home.lookup->counters().background_put_off == 1);
        admission.leave(*open.back(), settings.limits, home.time.now());
        refresh("b.example");
        CHECK(home.lookup->counters().prefetches == 2);
        // What hosts ask is asked all the same.
        connect(4);
        home.ask("c.example");
        CHECK(home.lookup->counters().upstream_questions == 3);
    }

    TEST_CASE("what could not be prefetched is, at a later hit, once there are places") {
        Home home;
        Settings settings;
        settings.limits.connections_max = 2;
        Admission admission(home.random);
        home.lookup.emplace(home.loop.get_executor(), home.cache, home.failures, home.time,
                            home.serving, Lookup::Whole{.admission = &admission});
        REQUIRE(home.apply(settings));
        const dns::Question question{*dns::parse_name("example.org"), dns::type::a};
        const Buffer response = dns::empty_response(question, dns::rcode::no_error);
        const Clock::time_point now = home.time.now();
        home.cache.store(question, {response, {}, 100000s}, now - 99000s);
        const auto hit = [&](Clock::time_point at) {
            Writer out;
            const auto found = home.cache.answer(question, at, out);
            REQUIRE(found);
            if (found->refresh) home.lookup->refresh(question);
        };
        Client* const open = admission.enter({Ipv4{{192, 168, 1, 1}}}, settings.limits, now);
        Client* const other = admission.enter({Ipv4{{192, 168, 1, 2}}}, settings.limits, now);
        REQUIRE(open != nullptr);
        REQUIRE(other != nullptr);
        hit(now);  // now it was asked for before
        hit(now);
        CHECK(home.lookup->counters().background_put_off == 1);
        // Behind whatever second it is by then for who puts off.
        hit(now + 300s);
        CHECK(home.lookup->counters().background_put_off == 2);
        CHECK(home.lookup->counters().prefetches == 0);
        admission.leave(*open, settings.limits, now);
        admission.leave(*other, settings.limits, now);
        hit(now + 600s);
        CHECK(home.lookup->counters().prefetches == 1);
    }

    TEST_CASE("over the limits a question fails at once") {
        Home home;
        Settings settings;
        settings.limits.in_flight_max = 1;
        settings.limits.waiters_per_question_max = 2;
        REQUIRE(home.apply(settings));
        home.ask("a.example");
        home.ask("a.example");
        CHECK(home.heard.empty());
        home.ask("a.example");
        CHECK(home.heard.size() == 1);
        home.ask("b.example");
        CHECK(home.heard.size() == 2);
        CHECK(home.lookup->counters().refused_full == 2);
        home.loop.poll();
        CHECK(home.heard.size() == 4);
    }

    TEST_CASE("whoever hears an answer may ask the same again") {
        Home home;
        REQUIRE(home.apply({}));
        int heard = 0;
        const dns::Question question{*dns::parse_name("example.org"), dns::type::a};
        home.lookup->find(question, false, [&](const Found&) {
            ++heard;
            home.lookup->find(question, false, [&](const Found&) { ++heard; });
        });
        home.loop.poll();
        CHECK(heard == 2);
    }

    TEST_CASE("settings whose trust anchors can't be read change nothing") {
        Home home;
        Settings settings;
        settings.local_domains = {*dns::parse_name("lan")};
        REQUIRE(home.apply(settings));
        settings.local_domains.clear();
        settings.upstreams = {
            {*dns::parse_name("dns.example"), {*parse_endpoint("127.0.0.1:1", 1)}}};
        const auto applied = home.apply(settings);
        REQUIRE(!applied);
        CHECK(applied.error().code == Errc::malformed);
        CHECK(home.lookup->upstreams().empty());
        home.ask("a.lan");
        REQUIRE(home.heard.size() == 1);  // still its own
        CHECK(home.rcode(0) == dns::rcode::no_name);
    }

    TEST_CASE("nobody hears anything once the look-up is gone, whatever was in flight") {
        Home home;
        // One that takes connections into its backlog and never says a word.
        tcp::acceptor silent(home.loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        Settings settings;
        settings.roots_pem = some_root();
        settings.upstreams = {{*dns::parse_name("dns.example"),
                               {Endpoint{Ipv4{{127, 0, 0, 1}}, silent.local_endpoint().port()}}}};
        settings.companion = Endpoint{Ipv4{{127, 0, 0, 1}}, 9};
        REQUIRE(home.apply(settings));
        for (const char* name : {"a.example", "b.example", "c.example", "nas"}) home.ask(name);
        home.loop.run_for(50ms);
        const std::size_t heard = home.heard.size();
        home.lookup.reset();
        home.loop.run_for(50ms);
        CHECK(home.heard.size() == heard);
        // And the loop goes with everything still suspended in it.
    }
}

}  // namespace
}  // namespace porchlight::forwarder
