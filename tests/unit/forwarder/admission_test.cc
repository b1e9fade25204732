#include "forwarder/admission.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "forwarder/memory.h"

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start = Clock::time_point() + 1000h;

IpAddress address(std::uint32_t number) {
    Ipv6 one;
    one.octets = {0xfd};
    for (int i = 0; i < 4; ++i)
        one.octets[static_cast<std::size_t>(15 - i)] = static_cast<std::uint8_t>(number >> 8 * i);
    return one;
}

const LinkName lan = link_name("br-lan");
const LinkName guests = link_name("br-guest");

struct Fixture {
    Client* enter(std::uint32_t client, bool is_own = false, Clock::time_point now = start) {
        Client* entered = admission.enter({address(client), lan, is_own}, limits, now, &shedder);
        if (entered != nullptr) admission.established(*entered, true, limits, now);
        return entered;
    }
    /// The hosts behind addresses on the link, as the agent tells.
    void tell(std::vector<std::pair<std::uint32_t, std::uint8_t>> hosts) {
        std::vector<Neighbour> told;
        for (const auto& [number, mac] : hosts)
            told.push_back({lan, address(number), {{2, 0, 0, 0, 0, mac}}});
        admission.set_neighbours(Neighbours(std::move(told)), limits);
    }
    void leave(Client& client, Clock::time_point now = start) {
        admission.leave(client, limits, now);
    }

    struct CountingShedder : Shedder {
        int called = 0;
        void shed_soon() override { ++called; }
    };
    SeededRandom random{1};
    CountingShedder shedder;
    Limits limits;
    Admission admission{random};
};

}  // namespace

TEST_SUITE("forwarder/admission") {
    TEST_CASE("connections are bounded in all and per client") {
        Fixture f;
        f.limits.connections_max = 3;
        f.limits.connections_per_client_max = 2;
        Client* one = f.enter(1);
        REQUIRE(one != nullptr);
        Client* same = f.enter(1);
        CHECK(same != nullptr);
        CHECK(f.enter(1) == nullptr);
        f.leave(*same);
        CHECK(f.enter(2) != nullptr);
        CHECK(f.enter(3) != nullptr);
        CHECK(f.enter(4) == nullptr);
        CHECK(f.admission.connections() == 3);
        f.leave(*one);
        CHECK(f.enter(4) != nullptr);
    }

    TEST_CASE("the router's own connections have slots of their own") {
        Fixture f;
        f.limits.connections_max = 1;
        CHECK(f.enter(1) != nullptr);
        CHECK(f.enter(2) == nullptr);
        for (std::uint32_t i = 0; i < Admission::own_connections_max; ++i) {
            Client* own = f.enter(9, true);
            REQUIRE(own != nullptr);
            for (int j = 0; j < 3000; ++j) CHECK(own->admit_query(f.limits, start));
        }
        CHECK(f.enter(9, true) == nullptr);
        CHECK(f.admission.connections() == 1);
    }

    TEST_CASE("a client's queries: a burst, then the sustained rate") {
        Fixture f;
        f.limits.queries_per_client_second = 10;
        f.limits.queries_per_client_burst = 20;
        Client* client = f.enter(1);
        const auto admitted = [&](Clock::time_point now) {
            int count = 0;
            for (int i = 0; i < 100; ++i) count += client->admit_query(f.limits, now) ? 1 : 0;
            return count;
        };
        CHECK(admitted(start) == 20);
        CHECK(admitted(start) == 0);
        CHECK(admitted(start + 1s) == 10);
        CHECK(admitted(start + 1h) == 20);
        CHECK(f.enter(2)->admit_query(f.limits, start));
    }

    TEST_CASE("a client that reconnects meets its old bucket") {
        Fixture f;
        f.limits.queries_per_client_burst = 1;
        Client* client = f.enter(1);
        CHECK(client->admit_query(f.limits, start));
        f.leave(*client);
        client = f.enter(1);
        CHECK(!client->admit_query(f.limits, start));
    }

    TEST_CASE("a blocked client stays out for that long") {
        Fixture f;
        Client* client = f.enter(1);
        f.admission.block(*client, start + 60s);
        f.leave(*client);
        CHECK(f.enter(1, false, start + 59s) == nullptr);
        CHECK(f.enter(1, false, start + 60s) != nullptr);
    }

    TEST_CASE("the table is bounded; who is connected is not forgotten") {
        Fixture f;
        f.limits.queries_per_client_burst = 1;
        Client* kept = f.enter(1);
        CHECK(kept->admit_query(f.limits, start));
        for (std::uint32_t i = 2; i < 3 * tallies_max(f.limits.memory_bytes_max); ++i) {
            Client* client = f.enter(i);
            REQUIRE(client != nullptr);
            f.leave(*client);
        }
        CHECK(f.admission.clients_today(start) == 1);
        CHECK(!f.enter(1)->admit_query(f.limits, start));
    }

    TEST_CASE("clients of the last day are counted") {
        Fixture f;
        f.enter(1)->admit_query(f.limits, start);
        f.enter(2)->admit_query(f.limits, start + 20h);
        f.enter(3);
        CHECK(f.admission.clients_today(start + 21h) == 2);
        CHECK(f.admission.clients_today(start + 25h) == 1);
    }

    TEST_CASE("the router itself is no client of the day, however many connections it has") {
        Fixture f;
        for (std::uint32_t i = 0; i < Admission::own_connections_max + 2; ++i) {
            Client* own = f.enter(9, true);
            REQUIRE(own != nullptr);
            own->admit_query(f.limits, start);
            CHECK(!own->is_host());
        }
        CHECK(f.admission.clients_today(start) == 0);
        Client* host = f.enter(1);
        host->admit_query(f.limits, start);
        CHECK(host->is_host());
        CHECK(f.admission.clients_today(start) == 1);
    }

    TEST_CASE("idle connections go sooner as slots run out") {
        Limits limits;
        limits.connections_max = 100;
        limits.idle_max = 20s;
        CHECK(idle_under_pressure(limits, 50, 0) == 20s);
        CHECK(idle_under_pressure(limits, 51, 0) == 5s);
        CHECK(idle_under_pressure(limits, 66, 0) == 1s);
        CHECK(idle_under_pressure(limits, 81, 0) == 0s);
        CHECK(idle_under_pressure(limits, 200, 0) == 0s);
    }

    TEST_CASE("and sooner as memory does") {
        Limits limits;
        limits.memory_bytes_max = 28 << 20;  // of which 10 MiB are for connections
        limits.idle_max = 20s;
        CHECK(idle_under_pressure(limits, 1, 5 << 20) == 20s);
        CHECK(idle_under_pressure(limits, 1, 6 << 20) == 5s);
        CHECK(idle_under_pressure(limits, 1, 9 << 20) == 0s);
        CHECK(idle_under_pressure(limits, 1, 11 << 20) == 0s);
    }

    TEST_CASE("what connections hold is counted while they are there") {
        Fixture f;
        Client* one = f.enter(1);
        REQUIRE(one != nullptr);
        CHECK(f.admission.octets() == memory_cost::handshake);
        f.admission.hold(*one, 20000, f.limits);
        CHECK(f.admission.octets() == 20480);
        f.admission.hold(*one, 20001, f.limits);
        CHECK(f.admission.octets() == 20480);
        f.admission.hold(*one, 20480, f.limits);  // whole steps are no more than they are
        CHECK(f.admission.octets() == 20480);
        f.admission.hold(*one, 20481, f.limits);
        CHECK(f.admission.octets() == 21504);
        f.tell({{1, 1}});
        f.admission.hold(*one, 1000, f.limits);
        CHECK(f.admission.octets() == 1024);
        f.leave(*one);
        CHECK(f.admission.octets() == 0);
        CHECK(f.shedder.called == 0);
        Client* own = f.enter(9, true);
        REQUIRE(own != nullptr);
        f.admission.hold(*own, 20000, f.limits);
        CHECK(f.admission.octets() == 0);
        f.leave(*own);
    }

    TEST_CASE("a machine's memory is enough for so many idle connections") {
        const auto idle_on = [](std::uint64_t machine_mib) {
            Fixture f;
            Settings settings;
            settings.limits.memory_bytes_max = 0;
            fit(settings, machine_mib << 20);
            f.limits = settings.limits;
            std::uint32_t idle = 0;
            while (Client* const client = f.enter(idle)) {
                f.admission.hold(*client, memory_cost::idle, f.limits);
                ++idle;
            }
            CHECK(f.admission.refusals().memory == 1);
            return idle;
        };
        CHECK(idle_on(64) == 339);
        CHECK(idle_on(128) == 680);
        CHECK(idle_on(512) == 2338);
    }

    TEST_CASE("what nobody waits for is put off when a third of the places is left") {
        Fixture f;
        f.limits.connections_max = 100;
        f.limits.in_flight_max = 20;
        f.limits.in_flight_per_client_max = 20;
        CHECK(!f.admission.is_pressed(f.limits));
        std::vector<Client*> open;
        for (std::uint32_t i = 0; i < 65; ++i) open.push_back(f.enter(i));
        CHECK(!f.admission.is_pressed(f.limits));
        CHECK(f.admission.idle_max(f.limits) == f.limits.idle_max / 4);
        open.push_back(f.enter(65));
        CHECK(f.admission.is_pressed(f.limits));
        CHECK(f.admission.idle_max(f.limits) == f.limits.idle_max / 20);
        f.leave(*open.back());
        CHECK(!f.admission.is_pressed(f.limits));
        // Or of their memory.
        f.limits.memory_bytes_max = 28 * 90 / 10 * memory_cost::handshake;
        CHECK(f.admission.is_pressed(f.limits));
        f.limits.memory_bytes_max = Limits().memory_bytes_max;
        CHECK(!f.admission.is_pressed(f.limits));
        // Or of those for questions.
        std::vector<WaitingPlace> waiting;
        for (int i = 0; i < 14; ++i) {
            CHECK(f.admission.is_pressed(f.limits) == (i > 13));
            waiting.push_back(*f.admission.place_for_question(*open[0], f.limits));
        }
        CHECK(f.admission.is_pressed(f.limits));
        waiting.clear();
        CHECK(!f.admission.is_pressed(f.limits));
    }

    TEST_CASE("when memory is short, what holds most of the heaviest host goes") {
        Fixture f;
        f.limits.memory_bytes_max = 2 * 28 * memory_cost::handshake;  // 20 handshakes'
        Client* light = f.enter(1);
        Client* heavy = f.enter(2);
        Client* heavier = f.enter(2);
        f.admission.hold(*heavy, 3 * memory_cost::handshake, f.limits);
        CHECK(!heavy->was_shed());
        f.admission.hold(*heavier, 4 * memory_cost::handshake, f.limits);  // more than a quarter
        CHECK(heavier->was_shed());
        CHECK(!heavy->was_shed());
        CHECK(!light->was_shed());
        CHECK(f.shedder.called == 1);
        CHECK(f.admission.refusals().shed == 1);
        f.admission.hold(*heavier, 20 * memory_cost::handshake, f.limits);  // gone already
        CHECK(f.admission.octets() < 7 * memory_cost::handshake);
        for (Client* client : {light, heavy, heavier}) f.leave(*client);
        CHECK(f.admission.octets() == 0);
    }

    TEST_CASE("and where many hold their part, the heaviest of all of them") {
        Fixture f;
        f.limits.memory_bytes_max = 2 * 28 * memory_cost::handshake;  // 20 handshakes'
        std::vector<Client*> hosts;
        for (std::uint32_t i = 1; i <= 5; ++i) {
            hosts.push_back(f.enter(i));
            f.admission.hold(*hosts.back(), (i == 3 ? 4 : 3) * memory_cost::handshake + 1,
                             f.limits);
        }
        CHECK(f.admission.refusals().shed == 0);
        hosts.push_back(f.enter(6));
        f.admission.hold(*hosts.back(), 4 * memory_cost::handshake - 2000, f.limits);
        CHECK(f.admission.refusals().shed == 1);
        CHECK(hosts[2]->was_shed());
        for (Client* one : hosts) f.leave(*one);
        CHECK(f.admission.octets() == 0);
    }

    TEST_CASE("what a connection holds goes with it to the host that it is found to be of") {
        constexpr std::uint32_t part = 3 * memory_cost::handshake;
        Fixture f;
        f.limits.memory_bytes_max = 2 * 28 * memory_cost::handshake;  // 20 handshakes'
        f.tell({});
        Client* stranger = f.enter(1);
        f.admission.hold(*stranger, part, f.limits);
        f.tell({{1, 1}, {2, 1}});
        Client* same = f.enter(2);
        f.admission.hold(*same, part + 2000, f.limits);
        CHECK(same->was_shed());  // together they had more than a quarter
        f.leave(*same);
        // Nothing of it stayed with the address, nor with its prefix.
        f.tell({});
        Client* later = f.enter(1);
        f.admission.hold(*later, part, f.limits);
        CHECK(f.admission.refusals().shed == 1);
        Client* heavier = f.enter(0x1000000);
        f.admission.hold(*heavier, 4 * memory_cost::handshake, f.limits);
        CHECK(f.admission.refusals().shed == 1);
        std::vector<Client*> all{stranger, later, heavier};
        f.tell({{5, 5}, {6, 6}, {7, 7}});
        for (std::uint32_t i = 5; i <= 7; ++i) {
            all.push_back(f.enter(i));
            f.admission.hold(*all.back(), i == 7 ? part : 4 * memory_cost::handshake, f.limits);
        }
        CHECK(f.admission.refusals().shed == 2);
        CHECK(!later->was_shed());
        for (Client* one : all) f.leave(*one);
        CHECK(f.admission.octets() == 0);
    }

    TEST_CASE("strangers of one prefix hold as one") {
        Fixture f;
        f.limits.memory_bytes_max = 2 * 28 * memory_cost::handshake;  // 20 handshakes'
        f.tell({{1, 1}, {2, 2}, {3, 3}});
        std::vector<Client*> all;
        for (std::uint32_t i = 1; i <= 3; ++i) {
            all.push_back(f.enter(i));
            f.admission.hold(*all.back(), 4 * memory_cost::handshake, f.limits);
        }
        for (std::uint32_t i = 11; i <= 14; ++i) {
            all.push_back(f.enter(i));
            f.admission.hold(*all.back(), 2 * memory_cost::handshake + 1, f.limits);
        }
        CHECK(f.admission.refusals().shed == 1);
        for (int i = 0; i < 3; ++i) CHECK(!all[static_cast<std::size_t>(i)]->was_shed());
        for (Client* one : all) f.leave(*one);
        CHECK(f.admission.octets() == 0);
    }

    TEST_CASE("a newcomer has memory where somebody holds more, and else is refused") {
        Fixture f;
        f.limits.memory_bytes_max = 28 * memory_cost::handshake;  // 10 handshakes'
        f.limits.unfinished_per_client_max = 100;
        std::vector<Client*> heavy;
        for (int i = 0; i < 10; ++i) heavy.push_back(f.enter(1));
        CHECK(f.enter(1) == nullptr);
        CHECK(f.admission.refusals().memory == 1);
        Client* other = f.enter(2);
        REQUIRE(other != nullptr);
        CHECK(f.admission.refusals().shed == 1);
        CHECK(f.admission.octets() == 10 * memory_cost::handshake);
        CHECK(std::ranges::count_if(heavy, [](Client* one) { return one->was_shed(); }) == 1);
        // By prefix, where that is who is heavy, the newcomer is weighed by his own.
        f.tell({});
        Client* stranger = f.enter(0x10000);
        CHECK(stranger != nullptr);
        for (Client* one : heavy) f.leave(*one);
        f.leave(*other);
        if (stranger != nullptr) f.leave(*stranger);
        CHECK(f.admission.octets() == 0);
    }

    TEST_CASE("workers share it") {
        Fixture f;
        f.limits.queries_per_client_second = 1;
        f.limits.queries_per_client_burst = 1000;
        std::atomic<int> admitted{0};
        {
            std::vector<std::jthread> workers;
            for (int worker = 0; worker < 3; ++worker)
                workers.emplace_back([&] {
                    for (int i = 0; i < 1000; ++i) {
                        Client* client = f.enter(1);
                        if (client == nullptr) continue;
                        if (client->admit_query(f.limits, start)) ++admitted;
                        f.leave(*client);
                    }
                });
        }
        CHECK(admitted == 1000);
        CHECK(f.admission.connections() == 0);
    }

    TEST_CASE("a refused host is not let in until its time is over; others are") {
        Fixture f;
        f.admission.refuse({{address(1), 600s}}, start);
        CHECK(f.enter(1) == nullptr);
        CHECK(f.enter(2) != nullptr);
        CHECK(f.enter(1, true) != nullptr);  // the router's own, from its own slots
        CHECK(f.enter(1, false, start + 599s) == nullptr);
        CHECK(f.enter(1, false, start + 600s) != nullptr);
        f.admission.refuse({}, start);
        CHECK(f.enter(1) != nullptr);
    }

    TEST_CASE("a host is one client, by however many addresses") {
        Fixture f;
        f.limits.connections_per_client_max = 3;
        f.limits.queries_per_client_burst = 1;
        f.tell({{1, 7}, {2, 7}, {3, 7}, {4, 7}, {5, 8}});
        Client* first = f.enter(1);
        Client* second = f.enter(2);
        REQUIRE(f.enter(3) != nullptr);
        CHECK(f.enter(4) == nullptr);
        CHECK(first->admit_query(f.limits, start));
        CHECK(!second->admit_query(f.limits, start));
        Client* other = f.enter(5);
        REQUIRE(other != nullptr);
        CHECK(other->admit_query(f.limits, start));
        CHECK(f.admission.clients_today(start) == 2);
        f.admission.block(*second, start + 60s);
        f.leave(*first);
        CHECK(f.enter(4) == nullptr);
        CHECK(f.enter(4, false, start + 60s) != nullptr);
    }

    TEST_CASE("a connection that came before its host was known counts for it from then on") {
        Fixture f;
        f.limits.connections_per_client_max = 2;
        f.limits.queries_per_client_burst = 1;
        Client* one = f.enter(1);
        Client* two = f.enter(2);
        CHECK(one->admit_query(f.limits, start));
        CHECK(two->admit_query(f.limits, start));
        CHECK(f.admission.clients_today(start) == 2);
        f.tell({{1, 7}, {2, 7}, {3, 7}});
        CHECK(f.admission.clients_today(start) == 1);
        CHECK(f.enter(3) == nullptr);
        CHECK(one->admit_query(f.limits, start));
        CHECK(!two->admit_query(f.limits, start));
        f.leave(*one);
        f.leave(*two);
        CHECK(f.admission.connections() == 0);
        CHECK(f.enter(3) != nullptr);
    }

    TEST_CASE("who was blocked before his host was known stays out by any address") {
        Fixture f;
        f.admission.block(*f.enter(1), start + 60s);
        f.tell({{1, 7}, {2, 7}});
        CHECK(f.enter(2) == nullptr);
        CHECK(f.enter(2, false, start + 60s) != nullptr);
    }

    TEST_CASE("what is open stays with the host that it was counted for") {
        Fixture f;
        f.limits.connections_per_client_max = 1;
        f.tell({{1, 7}});
        REQUIRE(f.enter(1) != nullptr);
        f.tell({{1, 8}, {2, 7}, {3, 8}});  // 8 took the address
        CHECK(f.enter(2) == nullptr);
        CHECK(f.enter(3) != nullptr);
        f.tell({});
        CHECK(f.admission.connections() == 2);
    }

    TEST_CASE("an address of one link is another host's on another link") {
        Fixture f;
        f.limits.connections_per_client_max = 1;
        f.limits.queries_per_client_burst = 1;
        const auto enter = [&](const LinkName& link) {
            return f.admission.enter({address(1), link}, f.limits, start);
        };
        Client* host = enter(lan);
        Client* guest = enter(guests);
        REQUIRE(host != nullptr);
        REQUIRE(guest != nullptr);
        CHECK(guest->admit_query(f.limits, start));
        CHECK(host->admit_query(f.limits, start));
        f.admission.block(*guest, start + 60s);
        f.leave(*host);
        CHECK(enter(lan) != nullptr);
        f.tell({{1, 7}});  // on the link of the home, not on that of guests
        f.leave(*guest);
        CHECK(enter(guests) == nullptr);
    }

    TEST_CASE("a host is connected from sixteen addresses at most") {
        Fixture f;
        std::vector<std::pair<std::uint32_t, std::uint8_t>> hosts;
        for (std::uint32_t i = 1; i <= 20; ++i) hosts.emplace_back(i, std::uint8_t{7});
        f.tell(hosts);
        std::vector<Client*> open;
        for (std::uint32_t i = 1; i <= Admission::addresses_per_client_max; ++i) {
            open.push_back(f.enter(i));
            REQUIRE(open.back() != nullptr);
        }
        CHECK(f.enter(17) == nullptr);
        CHECK(f.enter(3) != nullptr);
        f.leave(*open.front());
        CHECK(f.enter(17) != nullptr);
    }

    TEST_CASE("queries are counted while hosts become known") {
        Fixture f;
        f.limits.queries_per_client_burst = 1'000'000;
        std::jthread agent([&](std::stop_token stop) {
            for (std::uint8_t mac = 0; !stop.stop_requested(); ++mac) f.tell({{1, mac}, {2, mac}});
        });
        for (int i = 0; i < 2000; ++i) {
            Client* client = f.enter(1 + static_cast<std::uint32_t>(i) % 2);
            REQUIRE(client != nullptr);
            CHECK(client->admit_query(f.limits, start));
            f.leave(*client);
        }
        CHECK(f.admission.connections() == 0);
    }

    TEST_CASE("a neighbour's hardware address is known as soon as the agent tells, nobody else's") {
        Fixture f;
        const net::MacAddress its{{2, 0, 0, 0, 0, 9}};
        Client* early = f.enter(1);
        CHECK(!early->mac());
        f.tell({{1, 9}, {2, 9}});
        CHECK(early->mac() == its);
        CHECK(f.enter(2)->mac() == its);
        CHECK(!f.enter(3)->mac());
        CHECK(!f.enter(1, true)->mac());
        f.tell({{1, 8}});
        CHECK(early->mac() == its);
        CHECK(f.enter(1)->mac() == net::MacAddress{{2, 0, 0, 0, 0, 8}});
    }

    TEST_CASE("what is noted while a client is served is its address") {
        Fixture f;
        const Client* client = f.enter(7);
        REQUIRE(client != nullptr);
        CHECK(client->host().family == 6);
        CHECK(Ipv6{client->host().octets} == std::get<Ipv6>(address(7)));
    }
}

}  // namespace porchlight::forwarder
