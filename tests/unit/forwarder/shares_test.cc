#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "forwarder/admission.h"

// How a place is shared where not all who want one can have it.

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start = Clock::time_point() + 1000h;
const LinkName lan = link_name("br-lan");

IpAddress address(std::uint8_t net, std::uint8_t host) {
    return Ipv4{{192, 168, net, host}};
}

struct Fixture : Shedder {
    /// Before its handshake.
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
    void tell(const std::vector<std::pair<IpAddress, std::uint8_t>>& hosts) {
        std::vector<Neighbour> told;
        for (const auto& [at, mac] : hosts) told.push_back({lan, at, {{2, 0, 0, 0, 0, mac}}});
        admission.set_neighbours(Neighbours(std::move(told)), limits);
    }
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

TEST_SUITE("forwarder/shares") {
    TEST_CASE("whoever came through another router counts for his prefix too") {
        Fixture f;
        f.limits.connections_per_prefix_max = 2;
        f.tell({});
        CHECK(f.open(address(1, 1)) != nullptr);
        CHECK(f.open(address(1, 2)) != nullptr);
        CHECK(f.open(address(1, 3)) == nullptr);
        CHECK(f.met("connections_prefix") == 1);
        CHECK(f.open(address(2, 1)) != nullptr);

        const auto v6 = [](const char* text) { return *parse_address(text); };
        CHECK(f.open(v6("2001:db8:0:100::1")) != nullptr);
        CHECK(f.open(v6("2001:db8:0:1ff::2")) != nullptr);
        CHECK(f.open(v6("2001:db8:0:180::3")) == nullptr);
        CHECK(f.open(v6("2001:db8:0:200::3")) != nullptr);
    }

    TEST_CASE("a home shares one prefix: neighbours don't count for it, nor before any is told") {
        Fixture f;
        f.limits.connections_per_prefix_max = 1;
        CHECK(f.open(address(1, 1)) != nullptr);
        CHECK(f.open(address(1, 2)) != nullptr);
        f.tell({{address(1, 3), 3}, {address(1, 4), 4}});
        CHECK(f.open(address(1, 3)) != nullptr);
        CHECK(f.open(address(1, 4)) != nullptr);
        // One who is not known yet: until he is.
        CHECK(f.open(address(1, 5)) != nullptr);
        CHECK(f.open(address(1, 6)) == nullptr);
        f.tell({{address(1, 5), 5}});
        CHECK(f.open(address(1, 6)) != nullptr);
    }

    TEST_CASE("a prefix has a rate of queries, with as much of a burst as a client") {
        Fixture f;
        f.limits.queries_per_client_second = 10;
        f.limits.queries_per_client_burst = 20;
        f.limits.queries_per_prefix_second = 15;
        f.tell({});
        Client* one = f.open(address(1, 1));
        Client* two = f.open(address(1, 2));
        const auto admitted = [&](Client* client, Clock::time_point now) {
            int count = 0;
            for (int i = 0; i < 100; ++i) count += client->admit_query(f.limits, now) ? 1 : 0;
            return count;
        };
        CHECK(admitted(one, start) == 20);
        CHECK(admitted(two, start) == 10);
        CHECK(f.met("queries_client") == 80 + 80);
        CHECK(f.met("queries_prefix") == 10);
        CHECK(admitted(one, start + 1s) == 10);
        CHECK(admitted(two, start + 1s) == 5);
    }

    TEST_CASE("full handshakes have a rate, resumed ones another") {
        Fixture f;
        f.limits.full_handshakes_per_client_second = 1;
        f.limits.full_handshakes_per_client_burst = 2;
        f.limits.resumed_handshakes_per_client_second = 2;
        f.limits.resumed_handshakes_per_client_burst = 3;
        Client* client = f.enter(address(1, 1));
        const auto admitted = [&](bool shows_ticket, Clock::time_point now) {
            int count = 0;
            for (int i = 0; i < 10; ++i)
                count += client->admit_handshake(shows_ticket, f.limits, now) ? 1 : 0;
            return count;
        };
        CHECK(admitted(false, start) == 2);
        CHECK(admitted(true, start) == 3);
        CHECK(f.met("full_handshakes_client") == 8);
        CHECK(f.met("resumed_handshakes_client") == 7);
        CHECK(admitted(false, start + 1s) == 1);
        CHECK(admitted(true, start + 1s) == 2);
    }

    TEST_CASE("the handshakes of a prefix have rates too") {
        Fixture f;
        f.limits.full_handshakes_per_client_burst = 5;
        f.limits.full_handshakes_per_prefix_second = 5;
        f.limits.resumed_handshakes_per_client_second = 20;
        f.limits.resumed_handshakes_per_client_burst = 20;
        f.limits.resumed_handshakes_per_prefix_second = 20;
        f.tell({});
        const auto admitted = [&](std::uint8_t host, bool shows_ticket) {
            Client* client = f.enter(address(1, host));
            int count = 0;
            for (int i = 0; i < 15; ++i)
                count += client->admit_handshake(shows_ticket, f.limits, start) ? 1 : 0;
            return count;
        };
        CHECK(admitted(1, false) == 5);
        CHECK(admitted(2, false) == 0);
        CHECK(f.met("full_handshakes_prefix") == 5);
        CHECK(admitted(3, true) == 15);
        CHECK(admitted(4, true) == 5);
        CHECK(f.met("resumed_handshakes_prefix") == 10);
    }

    TEST_CASE("who shows tickets that are not good pays for full handshakes") {
        Fixture f;
        f.limits.full_handshakes_per_client_second = 1;
        f.limits.full_handshakes_per_client_burst = 2;
        const auto resume = [&](bool good, Clock::time_point now) {
            Client* client = f.enter(address(1, 1), now);
            const bool admitted = client->admit_handshake(true, f.limits, now);
            if (admitted) f.admission.established(*client, good, f.limits, now);
            f.leave(*client, now);
            return admitted;
        };
        for (int i = 0; i < 3; ++i) CHECK(resume(false, start));
        CHECK(!resume(false, start));
        CHECK(!resume(true, start));
        CHECK(!f.enter(address(1, 1))->admit_handshake(false, f.limits, start));
        CHECK(resume(false, start + 1s));
        CHECK(!resume(false, start + 1s));
        CHECK(resume(true, start + 3s));
        CHECK(resume(true, start + 3s));
    }

    TEST_CASE("handshakes that are not done are bounded") {
        Fixture f;
        f.limits.unfinished_per_client_max = 2;
        f.limits.unfinished_max = 3;
        Client* one = f.enter(address(1, 1));
        Client* two = f.enter(address(1, 1));
        CHECK(f.enter(address(1, 1)) == nullptr);
        CHECK(f.met("unfinished_client") == 1);
        CHECK(f.enter(address(1, 2)) != nullptr);
        CHECK(f.enter(address(1, 3)) == nullptr);
        CHECK(f.met("unfinished_all") == 1);
        f.admission.established(*one, false, f.limits, start);
        CHECK(f.enter(address(1, 3)) != nullptr);
        f.admission.established(*two, false, f.limits, start);
        CHECK(f.enter(address(1, 1)) != nullptr);
    }

    TEST_CASE("the unfinished handshakes of a prefix are bounded") {
        Fixture f;
        f.limits.unfinished_per_prefix_max = 1;
        f.tell({});
        Client* client = f.enter(address(1, 1));
        CHECK(f.enter(address(1, 2)) == nullptr);
        CHECK(f.met("unfinished_prefix") == 1);
        CHECK(f.enter(address(2, 1)) != nullptr);
        f.tell({{address(1, 1), 1}});
        CHECK(f.enter(address(1, 2)) != nullptr);
        f.admission.established(*client, false, f.limits, start);
    }

    TEST_CASE("one that failed keeps its place until it would have been closed for silence") {
        Fixture f;
        f.limits.unfinished_per_client_max = 2;
        f.limits.handshake_max = 10s;
        f.leave(*f.enter(address(1, 1)));
        f.leave(*f.enter(address(1, 1)));
        CHECK(f.enter(address(1, 1)) == nullptr);
        CHECK(f.enter(address(1, 2)) != nullptr);
        Client* client = f.enter(address(1, 1), start + 5s);
        REQUIRE(client != nullptr);
        CHECK(f.enter(address(1, 1), start + 5s) == nullptr);
        // One that was ended at a rate did nothing wrong.
        f.limits.full_handshakes_per_client_burst = 0;
        CHECK(!client->admit_handshake(false, f.limits, start + 5s));
        f.leave(*client, start + 5s);
        client = f.enter(address(1, 1), start + 5s);
        REQUIRE(client != nullptr);
        // Nor did one whose turn did not come.
        client->excuse_handshake();
        f.leave(*client, start + 5s);
        CHECK(f.enter(address(1, 1), start + 5s) != nullptr);
    }

    TEST_CASE(
        "a host takes its turns by any address, and who is no neighbour those of his prefix") {
        Fixture f;
        f.tell({{address(1, 1), 1}, {address(1, 2), 1}, {address(1, 3), 3}});
        const void* const host = f.enter(address(1, 1))->turns();
        CHECK(f.enter(address(1, 2))->turns() == host);
        CHECK(f.enter(address(1, 3))->turns() != host);
        const Client* far = f.enter(address(2, 1));
        CHECK(f.enter(address(2, 2))->turns() == far->turns());
        CHECK(f.enter(address(3, 1))->turns() != far->turns());
        f.tell({{address(2, 1), 4}});
        CHECK(f.enter(address(2, 2))->turns() != far->turns());
        CHECK(f.admission.enter({address(1, 1), lan, true}, f.limits, start)->turns() == nullptr);
    }

    TEST_CASE(
        "when places are scarce, who has more than an even part gets no more but by tickets") {
        Fixture f;
        f.limits.connections_max = 20;
        f.tell({{address(1, 1), 1}, {address(1, 2), 2}, {address(1, 3), 3}});
        const auto gets_in = [&](std::uint8_t host, bool shows_ticket) {
            Client* client = f.enter(address(1, host));
            REQUIRE(client != nullptr);
            const bool admitted = client->admit_handshake(shows_ticket, f.limits, start);
            f.admission.established(*client, shows_ticket, f.limits, start);
            f.leave(*client);
            return admitted;
        };
        for (int i = 0; i < 10; ++i) f.open(address(1, 1));
        for (int i = 0; i < 6; ++i) f.open(address(1, 2));
        CHECK(gets_in(1, false));  // a fifth of the places is free
        f.open(address(1, 2));
        CHECK(!gets_in(1, false));
        CHECK(f.met("full_handshakes_share") == 1);
        CHECK(gets_in(1, true));
        CHECK(gets_in(2, false));
        CHECK(gets_in(3, false));
        CHECK(f.met("full_handshakes_share") == 1);
    }

    TEST_CASE("of scarce places a prefix has one part, and who is alone may have all") {
        Fixture f;
        f.limits.connections_max = 10;
        f.tell({{address(1, 1), 1}});
        for (std::uint8_t host = 1; host <= 9; ++host) f.open(address(2, host));
        Client* alone = f.enter(address(2, 10));
        CHECK(alone->admit_handshake(false, f.limits, start));
        f.leave(*alone);
        f.open(address(1, 1));
        f.limits.connections_max = 11;
        Client* one_of_many = f.enter(address(2, 10));
        REQUIRE(one_of_many != nullptr);
        CHECK(!one_of_many->admit_handshake(false, f.limits, start));
        f.leave(*one_of_many);
        CHECK(f.enter(address(1, 1))->admit_handshake(false, f.limits, start));
    }

    TEST_CASE("who was shed has no part of scarce places any more") {
        Fixture f;
        f.limits.connections_max = 10;
        f.tell({{address(1, 1), 1}, {address(1, 2), 2}, {address(1, 3), 3}});
        for (int i = 0; i < 8; ++i) f.open(address(1, 1));
        for (int i = 0; i < 2; ++i) f.open(address(1, 2));
        for (int i = 0; i < 3; ++i) f.open(address(1, 3));
        Client* light = f.enter(address(1, 3));
        REQUIRE(light != nullptr);
        CHECK(f.sheds == 4);
        CHECK(light->admit_handshake(false, f.limits, start));
    }

    TEST_CASE("a host that is known to fail fails by any address, and others don't") {
        Fixture f;
        f.limits.unfinished_per_client_max = 2;
        f.tell({{address(1, 1), 1}, {address(1, 2), 1}, {address(1, 3), 3}});
        f.enter(address(1, 1));
        f.leave(*f.enter(address(1, 1)));
        CHECK(f.enter(address(1, 2)) == nullptr);
        CHECK(f.enter(address(1, 3)) != nullptr);
    }

    TEST_CASE("questions that wait are bounded by client, by prefix and in all") {
        Fixture f;
        f.limits.in_flight_per_client_max = 2;
        f.limits.in_flight_per_prefix_max = 3;
        f.limits.in_flight_max = 4;
        f.tell({});
        const auto ask = [&](Client* client) {
            return f.admission.place_for_question(*client, f.limits);
        };
        Client* one = f.open(address(1, 1));
        Client* two = f.open(address(1, 2));
        Client* far = f.open(address(2, 1));
        auto first = ask(one);
        auto second = ask(one);
        CHECK(first);
        CHECK(second);
        CHECK(!ask(one));
        CHECK(f.met("in_flight_client") == 1);
        auto third = ask(two);
        CHECK(third);
        CHECK(!ask(two));
        CHECK(f.met("in_flight_prefix") == 1);
        auto fourth = ask(far);
        CHECK(fourth);
        CHECK(!ask(far));
        CHECK(f.met("in_flight_all") == 1);
        first.reset();
        CHECK(ask(far));
        CHECK(ask(two));
        CHECK(ask(one));
        // Given back where it was taken, whoever the host is since.
        f.tell({{address(1, 1), 1}});
        second.reset();
        auto again = ask(one);
        auto more = ask(one);
        CHECK(more);
        CHECK(!ask(one));
        f.leave(*one);
    }

    TEST_CASE("the router's own connections pass every limit") {
        Fixture f;
        f.limits = {};
        f.limits.unfinished_per_client_max = 0;
        f.limits.full_handshakes_per_client_burst = 0;
        f.limits.in_flight_per_client_max = 0;
        for (std::uint32_t i = 0; i < Admission::own_connections_max; ++i) {
            Client* own = f.admission.enter({address(1, 1), lan, true}, f.limits, start, &f);
            REQUIRE(own != nullptr);
            CHECK(own->admit_handshake(false, f.limits, start));
            CHECK(f.admission.place_for_question(*own, f.limits));
            f.admission.established(*own, false, f.limits, start);
        }
        CHECK(f.admission.connections() == 0);
    }

    TEST_CASE("a light newcomer gets in: the least recently active of the heaviest goes") {
        Fixture f;
        f.limits.connections_max = 6;
        f.tell({{address(1, 1), 1}, {address(1, 2), 2}, {address(1, 3), 3}});
        std::vector<Client*> heavy;
        for (int i = 0; i < 4; ++i) heavy.push_back(f.open(address(1, 1), start + i * 1s));
        CHECK(heavy[0]->admit_query(f.limits, start + 10s));
        Client* light = f.open(address(1, 2));
        f.open(address(1, 2));
        REQUIRE(f.open(address(1, 3)) != nullptr);
        CHECK(f.sheds == 1);
        CHECK(f.met("shed") == 1);
        CHECK(heavy[1]->was_shed());
        CHECK(!heavy[0]->was_shed());
        CHECK(!light->was_shed());
        CHECK(f.admission.connections() == 6);
        // Three, two and one: another of the second would be as heavy as the heaviest.
        CHECK(f.open(address(1, 2)) == nullptr);
        CHECK(f.open(address(1, 1)) == nullptr);
        CHECK(f.met("connections_all") == 2);
        CHECK(f.open(address(1, 3)) != nullptr);
        CHECK(heavy[2]->was_shed());
        f.leave(*heavy[1]);
        f.leave(*heavy[2]);
        CHECK(f.admission.connections() == 6);
        f.leave(*light);
        CHECK(f.admission.connections() == 5);
    }

    TEST_CASE("a prefix is as heavy as all who come from it") {
        Fixture f;
        f.limits.connections_max = 6;
        f.tell({{address(1, 1), 1}, {address(1, 2), 2}});
        Client* far = f.open(address(9, 1));
        for (std::uint8_t host = 2; host <= 4; ++host) REQUIRE(f.open(address(9, host)) != nullptr);
        f.open(address(1, 1));
        f.open(address(1, 1));
        CHECK(f.open(address(9, 5)) == nullptr);
        CHECK(f.open(address(1, 2)) != nullptr);
        CHECK(far->was_shed());
    }

    TEST_CASE("within a prefix that is full the lighter address gets in") {
        Fixture f;
        f.limits.connections_per_prefix_max = 3;
        f.tell({});
        Client* heavy = f.open(address(9, 1));
        f.open(address(9, 1), start + 1s);
        f.open(address(9, 1), start + 2s);
        CHECK(f.open(address(9, 2)) != nullptr);
        CHECK(heavy->was_shed());
        CHECK(f.open(address(9, 3)) != nullptr);
        CHECK(f.open(address(9, 4)) == nullptr);
        CHECK(f.open(address(8, 1)) != nullptr);
    }

    TEST_CASE("half-open connections are shed like others") {
        Fixture f;
        f.limits.connections_max = 3;
        f.limits.unfinished_max = 4;
        for (int i = 0; i < 3; ++i) f.enter(address(1, 1));
        CHECK(f.enter(address(1, 2)) != nullptr);
        CHECK(f.met("shed") == 1);
        CHECK(f.met("unfinished_all") == 0);
    }

    TEST_CASE("no more are shed than could be closed") {
        Fixture f;
        f.limits.connections_max = 2 * Admission::shedding_max + 2;
        f.limits.connections_per_client_max = f.limits.connections_max;
        std::vector<Client*> heavy;
        for (std::uint32_t i = 0; i < f.limits.connections_max; ++i)
            heavy.push_back(f.open(address(1, 1), start + i * 1s));
        std::uint8_t host = 2;
        for (std::uint32_t i = 0; i < Admission::shedding_max; ++i)
            CHECK(f.open(address(1, host++)) != nullptr);
        CHECK(f.open(address(1, host)) == nullptr);
        f.leave(*heavy.front());
        CHECK(f.open(address(1, host)) != nullptr);
    }

    TEST_CASE("what a host had too many before it was known is closed") {
        Fixture f;
        f.limits.connections_per_client_max = 2;
        std::vector<std::pair<IpAddress, std::uint8_t>> hosts;
        std::vector<Client*> open;
        for (std::uint8_t host = 1; host <= 5; ++host) {
            hosts.emplace_back(address(1, host), std::uint8_t{7});
            open.push_back(f.open(address(1, host), start + host * 1s));
        }
        f.tell(hosts);
        CHECK(f.sheds == 3);
        CHECK(open[2]->was_shed());
        CHECK(!open[3]->was_shed());
        CHECK(!open[4]->was_shed());
        CHECK(f.admission.connections() == 2);
        CHECK(f.open(address(1, 1)) == nullptr);
        f.tell(hosts);
        CHECK(f.sheds == 3);
    }

    TEST_CASE("who is blocked is told by a name that says nothing, and may be let in again") {
        Fixture f;
        f.tell({{address(1, 1), 1}});
        f.admission.block(*f.open(address(1, 1)), start + 60s);
        f.admission.block(*f.open(address(1, 2)), start + 90s);
        f.admission.refuse({{address(1, 3), 600s}}, start);
        const auto bans = f.admission.bans(start + 500ms);
        REQUIRE(bans.size() == 2);
        CHECK(bans[0].left == 90s);
        CHECK(bans[1].left == 60s);
        CHECK(bans[0].client.size() == 8);
        CHECK(bans[0].client != bans[1].client);
        CHECK(f.admission.bans(start + 75s).size() == 1);
        CHECK(f.open(address(1, 1)) == nullptr);
        CHECK(f.open(address(1, 3)) == nullptr);
        CHECK(f.met("blocked") == 1);
        CHECK(f.met("kept_out") == 1);
        f.admission.let_in_again();
        CHECK(f.admission.bans(start).empty());
        CHECK(f.open(address(1, 1)) != nullptr);
        CHECK(f.open(address(1, 3)) != nullptr);
    }

    TEST_CASE("the other limits are counted by their names") {
        Fixture f;
        f.limits.connections_per_client_max = 1;
        f.open(address(1, 1));
        f.open(address(1, 1));
        CHECK(f.met("connections_client") == 1);
        f.limits.connections_per_client_max = 100;
        std::vector<std::pair<IpAddress, std::uint8_t>> hosts;
        for (std::uint8_t host = 2; host <= 20; ++host)
            hosts.emplace_back(address(1, host), std::uint8_t{7});
        f.tell(hosts);
        for (const auto& [at, mac] : hosts) f.open(at);
        CHECK(f.met("addresses_client") == 3);
    }
}

}  // namespace porchlight::forwarder
