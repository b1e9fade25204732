#include "ra/withdraw.h"

#include <doctest/doctest.h>

#include <atomic>

#include "hex.h"
#include "own_link.h"
#include "ra/sender.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;
using Header = WithdrawOutcome::Header;

const Buffer option = hex("9002 0001 00000708 0005 03646e7300 00");

Announced announced_until(Clock::time_point route_until) {
    return {"lan0", router_address(), Daemon::header, route_until, {option}};
}

/// `left` from when the link is ready.
Announced announced_for(Clock::duration left) {
    (void)router_address();
    return announced_until(Clock::now() + left);
}

Announced announced_in_full() {
    Announced announced = announced_until({});
    announced.full = true;
    announced.options.push_back(hex("1903 0000 00000708 fd770000000000000000000000000001"));
    announced.options.push_back(hex("0501 0000 000005dc"));
    return announced;
}

/// The header that hosts heard with three withdrawals.
RouterHeader withdrawn_thrice(Host& host) {
    const auto heard = host.heard();
    REQUIRE(heard.size() == 3);
    for (const Advertisement& one : heard) CHECK(one.options == NdOptions{withdrawn(option)});
    return heard[0].header;
}

TEST_SUITE("ra/withdraw") {
    TEST_CASE("the daemon is asked for the header that hosts have") {
        on_own_link([] {
            Host host;
            std::atomic<bool> done = false;
            std::thread answering([&] {
                for (Daemon daemon; !done; std::this_thread::sleep_for(5ms)) daemon.answer();
            });
            const auto outcome = withdraw_now(announced_until({}));
            done = true;
            answering.join();
            REQUIRE(outcome);
            CHECK(outcome->header == Header::asked);
            CHECK(outcome->packets == 3);
            CHECK(withdrawn_thrice(host).router_lifetime == 1800s);
        });
    }

    TEST_CASE("without a daemon the stored header serves for the rest of its lifetime") {
        on_own_link([] {
            Host host;
            const auto outcome = withdraw_now(announced_until(Clock::now() + 600s), 50ms);
            REQUIRE(outcome);
            CHECK(outcome->header == Header::remembered);
            const auto lifetime = withdrawn_thrice(host).router_lifetime;
            CHECK(lifetime > 590s);
            CHECK(lifetime <= 600s);
        });
    }

    TEST_CASE("a route that ends between the withdrawals ends none of them") {
        on_own_link([] {
            Host host;
            const auto outcome = withdraw_now(announced_for(600ms), 50ms);
            REQUIRE(outcome);
            CHECK(outcome->header == Header::remembered);
            const auto heard = host.heard();
            REQUIRE(heard.size() == 3);
            CHECK(heard.front().header.router_lifetime == 1s);
            CHECK(heard.back().header.router_lifetime == 0s);
            for (const Advertisement& one : heard)
                CHECK(one.options == NdOptions{withdrawn(option)});
        });
    }

    TEST_CASE("a daemon that speaks between the withdrawals keeps its route") {
        on_own_link([] {
            Host host;
            std::thread speaking([daemon = Daemon()]() mutable {
                std::this_thread::sleep_for(300ms);
                daemon.advertise(all_nodes);
            });
            const auto outcome = withdraw_now(announced_for(600ms), 50ms);
            speaking.join();
            REQUIRE(outcome);
            CHECK(outcome->packets == 3);
            const auto heard = host.heard();
            REQUIRE(heard.size() == 3);
            CHECK(heard.back().header.router_lifetime == Daemon::header.router_lifetime);
        });
    }

    TEST_CASE("a link that refuses until the route has ended is given up") {
        on_own_link([] {
            const Announced announced = announced_for(400ms);
            REQUIRE(std::system("ip link set lan0 down") == 0);
            CHECK(!withdraw_now(announced, 50ms));
        });
    }

    TEST_CASE("where nobody knows the header nothing is sent") {
        on_own_link([] {
            Host host;
            const auto outcome = withdraw_now(announced_until(Clock::now() - 1s), 50ms);
            REQUIRE(outcome);
            CHECK(outcome->header == Header::unknown);
            CHECK(outcome->packets == 0);
            CHECK(host.heard().empty());
        });
    }

    TEST_CASE("the header of no default router needs no daemon to be repeated") {
        on_own_link([] {
            Host host;
            Announced announced = announced_until({});
            announced.header.router_lifetime = 0s;
            const auto outcome = withdraw_now(announced, 50ms);
            REQUIRE(outcome);
            CHECK(outcome->header == Header::remembered);
            CHECK(withdrawn_thrice(host).router_lifetime == 0s);
        });
    }

    TEST_CASE("where we were the router, hosts lose route and resolvers") {
        on_own_link([] {
            Host host;
            const auto outcome = withdraw_now(announced_in_full(), 50ms);
            REQUIRE(outcome);
            CHECK(outcome->packets == 3);
            const auto heard = host.heard_whole();
            REQUIRE(heard.size() == 3);
            for (const Advertisement& one : heard) {
                CHECK(one.header.router_lifetime == 0s);
                CHECK(one.options == NdOptions{withdrawn(option), hex("1903 0000 00000000 fd77"
                                                                      "0000000000000000"
                                                                      "000000000001")});
            }
        });
    }

    TEST_CASE("where another daemon has taken our place, its route and resolvers stay") {
        on_own_link([] {
            Host host;
            std::atomic<bool> done = false;
            std::thread answering([&] {
                for (Daemon daemon; !done; std::this_thread::sleep_for(5ms)) daemon.answer();
            });
            const auto outcome = withdraw_now(announced_in_full());
            done = true;
            answering.join();
            REQUIRE(outcome);
            CHECK(outcome->header == Header::asked);
            CHECK(withdrawn_thrice(host).router_lifetime == 1800s);
        });
    }

    TEST_CASE("a link that can't be sent on is no withdrawal") {
        on_own_link([] {
            const Announced announced = announced_in_full();
            REQUIRE(std::system("ip link set lan0 down") == 0);
            CHECK(!withdraw_now(announced, 50ms));
        });
    }

    TEST_CASE("several links take no longer than one, each with an outcome of its own") {
        on_own_link([] {
            Host host;
            REQUIRE(std::system("for i in 1 2 3 4 5 6 7; do"
                                " ip link add lan0$i type veth peer name host0$i &&"
                                " ip link set lan0$i up && ip link set host0$i up; done") == 0);
            (void)router_address();
            std::vector<Announced> links(8, announced_until(Clock::now() + 600s));
            for (std::size_t i = 1; i < links.size(); ++i)
                links[i].interface = "lan0" + std::to_string(i);
            links.push_back(links[0]);
            links.back().interface = "gone0";
            for (Announced& link : links) link.source = {};  // the kernel's choice
            links[0].source = router_address();
            for (std::size_t i = 1; i < links.size(); ++i) links[i].source = links[0].source;
            const auto before = std::chrono::steady_clock::now();
            const auto outcomes = withdraw_all(links, 500ms);
            CHECK(std::chrono::steady_clock::now() - before < 4s);
            REQUIRE(outcomes.size() == links.size());
            REQUIRE(outcomes[0]);
            CHECK(outcomes[0]->packets == 3);
            CHECK(withdrawn_thrice(host).router_lifetime > 590s);
            CHECK(!outcomes.back());
        });
    }

    TEST_CASE("nothing announced needs neither daemon nor privilege") {
        const auto outcome = withdraw_now({});
        REQUIRE(outcome);
        CHECK(outcome->header == Header::not_needed);
    }
}

}  // namespace
}  // namespace porchlight::ra
