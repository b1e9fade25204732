#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <new>
#include <optional>

#include "dns/edns.h"
#include "forwarder/admission.h"
#include "forwarder/cache.h"
#include "forwarder/messages.h"
#include "forwarder/recent_failures.h"
#include "forwarder/responder.h"
#include "forwarder/sessions.h"

// An answer that the cache has is made and sent without an allocation. Counted is what this thread
// takes by `new`; OpenSSL takes its memory elsewhere.

namespace {

thread_local std::size_t allocations = 0;

void* take(std::size_t octets) {
    ++allocations;
    if (void* const taken = std::malloc(octets != 0 ? octets : 1)) return taken;
    throw std::bad_alloc();
}

void* take(std::size_t octets, std::align_val_t alignment) {
    ++allocations;
    const auto boundary = static_cast<std::size_t>(alignment);
    if (void* const taken = std::aligned_alloc(boundary, (octets + boundary - 1) & ~(boundary - 1)))
        return taken;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t octets) {
    return take(octets);
}
void* operator new(std::size_t octets, std::align_val_t alignment) {
    return take(octets, alignment);
}
void* operator new(std::size_t octets, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(octets != 0 ? octets : 1);
}
void operator delete(void* taken) noexcept {
    std::free(taken);
}
void operator delete(void* taken, std::size_t) noexcept {
    std::free(taken);
}
void operator delete(void* taken, std::align_val_t) noexcept {
    std::free(taken);
}
void operator delete(void* taken, std::size_t, std::align_val_t) noexcept {
    std::free(taken);
}

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

const IpAddress host_address = Ipv4{{192, 168, 1, 7}};
const net::MacAddress host_mac{{2, 0, 0, 0, 0, 7}};

/// All that an answer passes through, for one host that has a view of its own.
struct Home {
    Home() {
        limits.queries_per_client_burst = 1'000'000;
        Settings settings;
        settings.limits = limits;
        settings.rebinding.allow_devices = {{host_mac, {}}};
        REQUIRE(lookup.apply(std::make_shared<const Settings>(settings)));
        sessions.apply(settings);
        admission.set_neighbours(Neighbours({{{}, host_address, host_mac}}), settings.limits);
        client = admission.enter({host_address}, settings.limits, Clock::now());
        REQUIRE(client != nullptr);
        REQUIRE(client->mac());
        const ResponseMessage response;
        const Buffer octets = response.octets();
        for (const View view : {everybody, View{1}})
            cache.store({name_of(response.name), response.type, false, false, false, view},
                        {octets, response.ttl_offsets(), 300s}, time.now());
    }

    /// What admitting and answering takes once `out` has grown.
    std::size_t taken_by(Bytes message, const Leg& leg) {
        Writer out;
        const Clock::time_point now = time.now();
        for (const bool counts : {false, true}) {
            out.truncate(0);
            const std::size_t before = allocations;
            const bool admitted = client->admit_query(limits, now);
            const auto given = responder.answer(message, leg, now, out);
            const std::size_t taken = allocations - before;
            REQUIRE(admitted);
            REQUIRE(given == Responder::Given::answered);
            if (counts) return taken;
        }
        return 0;
    }

    asio::io_context loop{1};
    SystemTime time;
    SystemRandom random;
    Cache cache{{.bytes_max = 1 << 20}, random};
    RecentFailures failures;
    Serving serving;
    Limits limits;
    Counters counters;
    DailyKey daily_key{random};
    QueryLog log{daily_key};
    Lookup lookup{loop.get_executor(), cache, failures, time, serving};
    Responder responder{cache, lookup, counters, log};
    Admission admission{random};
    Poller poller{loop.get_executor()};
    Sessions sessions{loop.get_executor(), poller, responder, admission, serving, counters, 1};
    Client* client = nullptr;
};

Leg leg_of(const Client& client, bool http) {
    Leg leg{.encrypted = true, .stream = true, .http = http};
    leg.client = &client;
    return leg;
}

}  // namespace

TEST_SUITE("forwarder/allocation") {
    TEST_CASE("what is taken is counted") {
        const std::size_t before = allocations;
        const auto one = std::make_unique<int>(7);
        Buffer other(1000);
        CHECK(*one + static_cast<int>(other.size()) == 1007);
        CHECK(allocations == before + 2);

        Home home;
        const Buffer unknown = QueryMessage{.name = "unknown.example"}.octets();
        Writer out;
        const Leg leg = leg_of(*home.client, false);
        REQUIRE(home.responder.answer(unknown, leg, home.time.now(), out) ==
                Responder::Given::not_known);
        const std::size_t before_miss = allocations;
        home.responder.find(leg, [](const KeptQuery&, const Found&) {});
        CHECK(allocations > before_miss);
    }

    TEST_CASE("an answer from the cache takes nothing, whatever its client wants along") {
        Home home;
        const Buffer plain = QueryMessage{}.octets();
        Writer options;
        for (const std::uint16_t option : {dns::option::tcp_keepalive, dns::option::padding}) {
            options.u16(option);
            options.u16(0);
        }
        const Buffer with_options =
            QueryMessage{.name = "WWW.example", .edns = true, .edns_options = *options.take()}
                .octets();
        for (const Buffer& message : {plain, with_options}) {
            CHECK(home.taken_by(message, leg_of(*home.client, false)) == 0);
            CHECK(home.taken_by(message, leg_of(*home.client, true)) == 0);
            CHECK(home.taken_by(message, {.from_companion = true}) == 0);
        }
        CHECK(home.counters.cache_hits == 12);
    }

    TEST_CASE("neither do names of our own, nor the log of queries") {
        Home home;
        const Buffer own = QueryMessage{.name = "localhost"}.octets();
        CHECK(home.taken_by(own, leg_of(*home.client, false)) == 0);
        home.log.apply({QueryLogSettings::Level::full, 16384}, 1);
        const Buffer message = QueryMessage{}.octets();
        for (int i = 0; i < 1000; ++i)
            REQUIRE(home.taken_by(message, leg_of(*home.client, false)) == 0);
        QueryReport report;
        home.log.tell(report, home.time.now());
        CHECK(report.counts.by_outcome[1] == 2000);
    }

    TEST_CASE("a connection's whole turn takes nothing, from its read to its write") {
        Home home;
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
        const FileDescriptor peer(ends[1]);
        home.poller.start({.before_turn = [&] { home.sessions.before_turn(); },
                           .after_turn = [&] { home.sessions.after_turn(); },
                           .after_wake = [&] { home.sessions.after_wake(); }});
        home.sessions.open(Stream(FileDescriptor(ends[0])), home.client, {.stream = true});
        const Buffer message = QueryMessage{}.octets();
        Writer frames;
        for (int i = 0; i < 8; ++i) frames.counted_u16([&] { frames.bytes(message); });
        std::array<std::uint8_t, 65536> heard;
        std::size_t taken = 1;
        for (int turn = 0; turn < 20; ++turn) {
            REQUIRE(::write(peer.get(), frames.view().data(), frames.size()) ==
                    static_cast<ssize_t>(frames.size()));
            const std::size_t before = allocations;
            while (home.counters.cache_hits < 8u * static_cast<unsigned>(turn + 1))
                home.loop.run_one();
            taken = allocations - before;
            REQUIRE(::read(peer.get(), heard.data(), heard.size()) >
                    static_cast<ssize_t>(frames.size()));
        }
        CHECK(taken == 0);
    }
}

}  // namespace porchlight::forwarder
