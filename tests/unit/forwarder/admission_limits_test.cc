#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "forwarder/admission.h"
#include "forwarder/memory.h"

// What each limit of Admission does at its very edge, and what is counted of it.

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start = Clock::time_point() + 1000h;
const LinkName lan = link_name("br-lan");

IpAddress address(std::uint8_t net, std::uint8_t host) {
    return Ipv4{{192, 168, net, host}};
}

struct Fixture : Shedder {
    Client* enter(const IpAddress& from, Clock::time_point now = start) {
        return admission.enter({from, lan}, limits, now, this);
    }
    Client* open(const IpAddress& from, Clock::time_point now = start) {
        Client* client = enter(from, now);
        if (client != nullptr) admission.established(*client, true, limits, now);
        return client;
    }
    void leave(Client& client, Clock::time_point now = start) {
        admission.leave(client, limits, now);
    }
    /// All of them are one host.
    void tell_of_one(const std::vector<IpAddress>& addresses) {
        std::vector<Neighbour> told;
        for (const IpAddress& one : addresses) told.push_back({lan, one, {{2, 0, 0, 0, 0, 1}}});
        admission.set_neighbours(Neighbours(std::move(told)), limits);
    }
    /// Nobody is a neighbour: all count for their prefixes.
    void tell_of_nobody() { admission.set_neighbours(Neighbours(), limits); }
    std::uint64_t met(const std::string& limit) const {
        std::vector<Counter> counters;
        append(counters, admission.refusals());
        for (const Counter& counter : counters)
            if (counter.name == "limit_" + limit) return counter.value;
        FAIL("no such limit");
        return 0;
    }
    void shed_soon() override { ++sheds; }

    SeededRandom random{1};
    Limits limits;
    Admission admission{random};
    int sheds = 0;
};

}  // namespace

TEST_SUITE("forwarder/admission_limits") {
    TEST_CASE("a rate of nothing is one a second") {
        Fixture f;
        f.limits.queries_per_client_second = 0;
        f.limits.queries_per_client_burst = 1;
        f.tell_of_nobody();
        Client* client = f.open(address(1, 1));
        CHECK(client->admit_query(f.limits, start));
        CHECK(!client->admit_query(f.limits, start));
        CHECK(client->admit_query(f.limits, start + 1s));
    }

    TEST_CASE("a prefix may ask once, however little is left of a burst in its proportion") {
        Fixture f;
        f.limits.queries_per_client_second = 1000;
        f.limits.queries_per_client_burst = 2;
        f.limits.queries_per_prefix_second = 1;
        f.tell_of_nobody();
        Client* client = f.open(address(1, 1));
        CHECK(client->admit_query(f.limits, start));
        CHECK(!client->admit_query(f.limits, start));
        CHECK(f.met("queries_prefix") == 1);
    }

    TEST_CASE("a prefix has a burst of handshakes in proportion to a client's") {
        for (const bool shows_ticket : {false, true}) {
            Fixture f;
            f.limits.full_handshakes_per_client_second = 1;
            f.limits.full_handshakes_per_client_burst = 2;
            f.limits.full_handshakes_per_prefix_second = 3;
            f.limits.resumed_handshakes_per_client_second = 1;
            f.limits.resumed_handshakes_per_client_burst = 2;
            f.limits.resumed_handshakes_per_prefix_second = 3;
            f.tell_of_nobody();
            int admitted = 0;
            for (std::uint8_t host = 1; host <= 4; ++host)
                for (int i = 0; i < 2; ++i)
                    admitted +=
                        f.enter(address(1, host))->admit_handshake(shows_ticket, f.limits, start);
            CHECK(admitted == 6);
            CHECK(f.met(shows_ticket ? "resumed_handshakes_prefix" : "full_handshakes_prefix") ==
                  2);
        }
    }

    TEST_CASE("a handshake that was admitted and came to nothing is a failed one") {
        Fixture f;
        f.limits.unfinished_per_client_max = 1;
        Client* client = f.enter(address(1, 1));
        CHECK(client->admit_handshake(false, f.limits, start));
        f.leave(*client);
        CHECK(f.enter(address(1, 1)) == nullptr);
        CHECK(f.met("unfinished_client") == 1);
    }

    TEST_CASE("a failed handshake counts for the prefix and for all") {
        Fixture f;
        f.limits.unfinished_per_prefix_max = 2;
        f.limits.unfinished_max = 3;
        f.tell_of_nobody();
        f.leave(*f.enter(address(1, 1)));
        f.leave(*f.enter(address(1, 2)));
        CHECK(f.enter(address(1, 3)) == nullptr);
        CHECK(f.met("unfinished_prefix") == 1);
        f.leave(*f.enter(address(2, 1)));
        CHECK(f.enter(address(3, 1)) == nullptr);
        CHECK(f.met("unfinished_all") == 1);
        CHECK(f.enter(address(3, 1), start + f.limits.handshake_max) != nullptr);
    }

    TEST_CASE("a full handshake is paid for once, a resumed one not as a full one") {
        Fixture f;
        f.limits.full_handshakes_per_client_second = 1;
        f.limits.full_handshakes_per_client_burst = 2;
        const auto shake_hands = [&](bool shows_ticket, bool resumed) {
            Client* client = f.enter(address(1, 1));
            const bool admitted = client->admit_handshake(shows_ticket, f.limits, start);
            if (admitted) f.admission.established(*client, resumed, f.limits, start);
            return admitted;
        };
        for (int i = 0; i < 5; ++i) CHECK(shake_hands(true, true));
        CHECK(shake_hands(false, false));
        CHECK(shake_hands(false, false));
        CHECK(!shake_hands(false, false));
    }

    TEST_CASE("a prefix pays for the bad tickets of all who come from it") {
        Fixture f;
        f.limits.full_handshakes_per_client_second = 1;
        f.limits.full_handshakes_per_client_burst = 10;
        f.limits.full_handshakes_per_prefix_second = 1;
        f.tell_of_nobody();
        const auto shows_bad_ticket = [&](std::uint8_t host) {
            Client* client = f.enter(address(1, host));
            const bool admitted = client->admit_handshake(true, f.limits, start);
            if (admitted) f.admission.established(*client, false, f.limits, start);
            return admitted;
        };
        for (std::uint8_t i = 0; i < 11; ++i) CHECK(shows_bad_ticket(1 + i % 3));
        CHECK(!shows_bad_ticket(4));
        CHECK(f.met("resumed_handshakes_prefix") == 1);
    }

    TEST_CASE("a handshake that is done leaves its place in the prefix") {
        Fixture f;
        f.limits.unfinished_per_prefix_max = 2;
        f.tell_of_nobody();
        REQUIRE(f.open(address(1, 1)) != nullptr);
        REQUIRE(f.open(address(1, 2)) != nullptr);
        CHECK(f.enter(address(1, 3)) != nullptr);
    }

    TEST_CASE("a connection that left makes room in its prefix") {
        Fixture f;
        f.limits.connections_per_prefix_max = 1;
        f.tell_of_nobody();
        f.leave(*f.open(address(1, 1)));
        CHECK(f.open(address(1, 2)) != nullptr);
        CHECK(f.open(address(1, 3)) == nullptr);
    }

    TEST_CASE("the router's own slots are free again when it left them") {
        Fixture f;
        f.limits.connections_max = 0;
        const Peer own{address(1, 1), lan, true};
        for (std::uint32_t i = 0; i < 3 * Admission::own_connections_max; ++i) {
            Client* client = f.admission.enter(own, f.limits, start, &f);
            REQUIRE(client != nullptr);
            f.leave(*client);
        }
    }

    TEST_CASE("it is the heaviest that makes room, whoever came first") {
        for (const bool is_prefix_full : {false, true}) {
            Fixture f;
            (is_prefix_full ? f.limits.connections_per_prefix_max : f.limits.connections_max) = 4;
            if (is_prefix_full) f.tell_of_nobody();
            REQUIRE(f.admission.enter({address(9, 9), lan, true}, f.limits, start, &f) != nullptr);
            Client* light = f.open(address(1, 1));
            std::vector<Client*> heavy;
            for (int i = 0; i < 3; ++i) heavy.push_back(f.open(address(1, 2), start + i * 1s));
            CHECK(f.open(address(1, 3)) != nullptr);
            CHECK(!light->was_shed());
            CHECK(heavy[0]->was_shed());
            CHECK(!heavy[1]->was_shed());
            CHECK(f.sheds == 1);
        }
    }

    TEST_CASE("a connection that just came is no idle one") {
        Fixture f;
        f.limits.connections_max = 3;
        Client* asked_early = f.open(address(1, 1));
        Client* came_late = f.open(address(1, 1), start + 5s);
        Client* asked_late = f.open(address(1, 1));
        CHECK(asked_early->admit_query(f.limits, start + 1s));
        CHECK(asked_late->admit_query(f.limits, start + 6s));
        CHECK(f.open(address(1, 2), start + 7s) != nullptr);
        CHECK(asked_early->was_shed());
        CHECK(!came_late->was_shed());
    }

    TEST_CASE("what nobody can close is not shed") {
        Fixture f;
        f.limits.connections_max = 3;
        for (int i = 0; i < 3; ++i)
            REQUIRE(f.admission.enter({address(1, 1), lan}, f.limits, start) != nullptr);
        CHECK(f.enter(address(1, 2)) == nullptr);
        CHECK(f.met("connections_all") == 1);
    }

    TEST_CASE("what was shed does not count for a host that becomes known before it is closed") {
        Fixture f;
        f.limits.connections_max = 3;
        std::vector<Client*> heavy;
        for (int i = 0; i < 3; ++i) heavy.push_back(f.open(address(1, 1), start + i * 1s));
        REQUIRE(f.open(address(1, 2)) != nullptr);
        REQUIRE(heavy[0]->was_shed());
        f.limits.connections_max = 100;
        f.limits.connections_per_client_max = 3;
        f.tell_of_one({address(1, 1)});
        f.leave(*heavy[0]);
        CHECK(f.open(address(1, 1)) != nullptr);
        CHECK(f.open(address(1, 1)) == nullptr);
    }

    TEST_CASE("what counts for a host counts for its address, and its prefix, no more") {
        Fixture f;
        f.limits.connections_per_client_max = 1;
        f.limits.unfinished_per_client_max = 1;
        f.limits.queries_per_client_second = 1000;
        f.limits.queries_per_client_burst = 2;
        f.limits.queries_per_prefix_second = 1;
        f.tell_of_nobody();
        Client* client = f.enter(address(1, 1));
        f.tell_of_one({address(1, 1)});
        CHECK(client->admit_query(f.limits, start));
        CHECK(client->admit_query(f.limits, start));
        CHECK(f.met("queries_prefix") == 0);
        f.tell_of_nobody();
        CHECK(f.enter(address(1, 1)) != nullptr);
    }

    TEST_CASE("a handshake that was begun before its host was known is the host's") {
        Fixture f;
        f.limits.unfinished_per_client_max = 1;
        f.enter(address(1, 1));
        f.tell_of_one({address(1, 1), address(1, 2)});
        CHECK(f.enter(address(1, 2)) == nullptr);
        CHECK(f.met("unfinished_client") == 1);
    }

    TEST_CASE("a host of the day stays one, whatever address of its own becomes known") {
        Fixture f;
        f.tell_of_one({address(1, 1)});
        CHECK(f.open(address(1, 1))->admit_query(f.limits, start));
        f.open(address(1, 2));
        f.tell_of_one({address(1, 1), address(1, 2)});
        CHECK(f.admission.clients_today(start) == 1);
    }

    TEST_CASE("who never asked is no client of the day, nor in the first of this machine") {
        Fixture f;
        const Clock::time_point early = Clock::time_point() + 1h;
        Client* client = f.open(address(1, 1), early);
        CHECK(f.admission.clients_today(early) == 0);
        CHECK(client->admit_query(f.limits, early));
        CHECK(f.admission.clients_today(early) == 1);
    }

    TEST_CASE("of very many that are blocked those for longest are told") {
        Fixture f;
        for (std::uint8_t i = 0; i < Admission::bans_told_max + 6; ++i)
            f.admission.block(*f.open(address(1, i)), start + i * 1s + 1s);
        const std::vector<Ban> bans = f.admission.bans(start);
        REQUIRE(bans.size() == Admission::bans_told_max);
        CHECK(bans.back().left == 7s);
    }

    TEST_CASE("when every place in the table has somebody connected, the next is refused") {
        Fixture f;
        f.limits.memory_bytes_max = std::uint64_t(1) << 40;
        f.limits.connections_max = f.limits.unfinished_max = 1'000'000;
        for (std::size_t i = 0; i < tallies_max(f.limits.memory_bytes_max); ++i)
            REQUIRE(f.open(address(static_cast<std::uint8_t>(i >> 8),
                                   static_cast<std::uint8_t>(i))) != nullptr);
        CHECK(f.open(address(255, 255)) == nullptr);
        CHECK(f.met("connections_all") == 1);
        // Nor is there one for a host that becomes known: its address stays what counts.
        f.tell_of_one({address(0, 0)});
        CHECK(f.admission.connections() == tallies_max(f.limits.memory_bytes_max));
    }

    TEST_CASE("who comes needs the memory of a handshake, and takes it from nobody with no more") {
        Fixture f;
        f.limits.memory_bytes_max = 28 * memory_cost::handshake;  // of ten connections
        f.tell_of_nobody();
        for (std::uint8_t net = 1; net <= 10; ++net) REQUIRE(f.open(address(net, 1)) != nullptr);
        CHECK(f.enter(address(11, 1)) == nullptr);
        CHECK(f.met("memory") == 1);
        CHECK(f.sheds == 0);
    }

    TEST_CASE("memory is full when it is used up, not before") {
        Fixture f;
        f.limits.memory_bytes_max = 28 * memory_cost::handshake;  // of ten connections
        f.tell_of_nobody();
        Client* last = nullptr;
        for (std::uint8_t net = 1; net <= 5; ++net) {
            last = f.open(address(net, 1));
            f.admission.hold(*last, 2 * memory_cost::handshake, f.limits);
        }
        CHECK(f.admission.octets() == 10 * memory_cost::handshake);
        CHECK(f.sheds == 0);
        f.admission.hold(*last, 2 * memory_cost::handshake + 1, f.limits);
        CHECK(f.sheds == 1);
    }

    TEST_CASE("what a host holds leaves its prefix with it") {
        Fixture f;
        f.limits.memory_bytes_max = 28 * memory_cost::handshake;  // of ten connections
        f.tell_of_nobody();
        const auto holding = [&](const IpAddress& from, std::size_t octets) {
            Client* client = f.open(from);
            f.admission.hold(*client, octets, f.limits);
            return client;
        };
        holding(address(1, 1), 2 * memory_cost::handshake);
        const Client* light = holding(address(1, 2), memory_cost::handshake);
        const Client* heavy = holding(address(2, 1), 2 * memory_cost::handshake + 16384);
        f.tell_of_one({address(1, 1)});
        holding(address(3, 1), 2 * memory_cost::handshake);
        holding(address(4, 1), 2 * memory_cost::handshake);
        REQUIRE(f.sheds == 0);
        CHECK(f.open(address(5, 1)) != nullptr);
        CHECK(heavy->was_shed());
        CHECK(!light->was_shed());
    }
}

}  // namespace porchlight::forwarder
