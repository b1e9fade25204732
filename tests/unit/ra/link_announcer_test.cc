#include "ra/link_announcer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>

#include "hex.h"
#include "own_link.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Buffer option_a = hex("9002 0001 00000708 0005 03646e7300 00");
const Buffer option_b = hex("9002 0002 00000708 0005 03646f7400 00");

/// An announcer on the own link, and everybody whom it meets there.
struct Home {
    Home() {
        LinkAnnouncer::Sockets sockets;
        sockets.icmpv6 = std::move(*open_icmpv6_socket("lan0"));
        sockets.frames = std::move(*open_frame_socket("lan0"));
        announcer.emplace(loop.get_executor(), "lan0", std::move(sockets), Sender::Interval{}, time,
                          random, [this](const Announced& now) { stored.push_back(now); });
    }

    void run_for(std::chrono::milliseconds span) {
        loop.run_for(span);
        loop.restart();
    }
    /// Until it holds, at most for ten seconds.
    bool until(const std::function<bool()>& holds) {
        for (int i = 0; i < 500; ++i) {
            if (holds()) return true;
            run_for(20ms);
        }
        return false;
    }
    /// The daemon answers the announcer's first solicitation.
    void meet_daemon() {
        CHECK(until([&] {
            daemon.answer();
            return announcer->counters().daemon_advertisements > 0;
        }));
        run_for(30ms);
    }
    bool withdraw() {
        bool done = false;
        asio::co_spawn(loop, announcer->withdraw(), [&](std::exception_ptr) { done = true; });
        run_for(1300ms);
        return done;
    }

    asio::io_context loop;
    SystemTime time;
    SystemRandom random;
    std::vector<Announced> stored;
    std::optional<LinkAnnouncer> announcer;
    Daemon daemon;
    Host host;
};

TEST_SUITE("ra/link_announcer") {
    TEST_CASE(
        "it asks for the daemon's header, announces under it, and takes all back at the end") {
        on_own_link([] {
            Home home;
            home.announcer->set_options({option_a});
            home.run_for(30ms);
            CHECK(home.host.heard().empty());
            CHECK(!home.announcer->can_announce());
            home.meet_daemon();
            CHECK(home.announcer->can_announce());
            auto heard = home.host.heard();
            REQUIRE(heard.size() == 1);
            CHECK(heard[0].options == NdOptions{option_a});
            CHECK(heard[0].header.router_lifetime == Daemon::header.router_lifetime);
            CHECK(heard[0].header.flags == Daemon::header.flags);
            CHECK(heard[0].header.cur_hop_limit == 0);
            REQUIRE(!home.stored.empty());
            CHECK(home.stored.back().options == NdOptions{option_a});
            CHECK(home.stored.back().source == home.daemon.address());

            CHECK(home.withdraw());
            heard = home.host.heard();
            REQUIRE(heard.size() == 3);
            for (const Advertisement& one : heard) {
                CHECK(one.options == NdOptions{withdrawn(option_a)});
                CHECK(one.header.router_lifetime >= Daemon::header.router_lifetime - 2s);
            }
            CHECK(home.stored.back().options.empty());
            CHECK(home.announcer->announced().options.empty());
            CHECK(home.announcer->counters().multicasts == 4);
            CHECK(home.announcer->counters().daemon_advertisements == 1);
            CHECK(home.announcer->counters().send_failures == 0);
        });
    }

    TEST_CASE("a host that solicits is answered, our own traffic is not taken for others'") {
        on_own_link([] {
            Home home;
            home.announcer->set_options({option_a});
            home.meet_daemon();
            (void)home.host.heard();
            home.daemon.advertise(all_nodes);
            auto somebody = open_icmpv6_socket("host0");
            REQUIRE(somebody);
            REQUIRE(solicit(*somebody));
            const LinkAnnouncer::Counters& counters = home.announcer->counters();
            CHECK(home.until(
                [&] { return counters.answers == 1 && counters.daemon_advertisements == 2; }));
            home.run_for(100ms);
            CHECK(counters.solicitations == 1);
            CHECK(counters.answers == 1);
            CHECK(counters.other_advertisements == 0);
            CHECK(counters.daemon_advertisements == 2);
        });
    }

    TEST_CASE("what a former process left is taken back once the daemon was heard") {
        on_own_link([] {
            Home home;
            Announced former;
            former.interface = "lan0";
            former.options = {option_b};
            home.announcer->adopt(former);
            home.announcer->set_options({option_a});
            CHECK(home.withdraw());  // at once: it can't leave
            CHECK(home.announcer->announced().options == NdOptions{withdrawn(option_b)});
            home.announcer->set_options({option_a});
            home.daemon.answer();
            home.run_for(50ms);
            const auto heard = home.host.heard();
            REQUIRE(heard.size() == 1);
            CHECK(heard[0].options == NdOptions{option_a, withdrawn(option_b)});
        });
    }

    TEST_CASE("in full form it needs no daemon, answers hosts, and ends with Router Lifetime 0") {
        on_own_link([] {
            Home home;
            FullSettings settings;
            settings.rdnss = {*parse_ipv6("fd77::1")};
            home.announcer->set_full(settings);
            home.announcer->set_link(own_link());
            home.announcer->set_options({option_a});
            home.run_for(500ms);
            CHECK(home.host.heard_whole().empty());  // another daemon may be there yet
            home.run_for(600ms);
            CHECK(home.announcer->can_announce());
            auto heard = home.host.heard_whole();
            REQUIRE(heard.size() == 1);
            CHECK(heard[0].header == RouterHeader{64, 0, 1800s, 0ms, 0ms});
            CHECK(heard[0].options.size() == 4);  // link-layer address, MTU, RDNSS, ours
            CHECK(heard[0].options.back() == option_a);
            REQUIRE(!home.stored.empty());
            CHECK(home.stored.back().full);
            CHECK(home.stored.back().source == home.daemon.address());

            auto somebody = open_icmpv6_socket("host0");
            REQUIRE(somebody);
            REQUIRE(solicit(*somebody));
            home.run_for(700ms);
            CHECK(home.announcer->counters().answers == 1);
            CHECK(home.announcer->counters().daemon_advertisements == 0);  // it is ourselves
            (void)home.host.heard_whole();

            CHECK(home.withdraw());
            heard = home.host.heard_whole();
            REQUIRE(heard.size() == 3);
            for (const Advertisement& one : heard) CHECK(one.header.router_lifetime == 0s);
            CHECK(!home.announcer->announced().standing());
            CHECK(!home.stored.back().standing());
        });
    }

    TEST_CASE("in full form it yields to another daemon, before it spoke or after") {
        on_own_link([] {
            Home home;
            home.announcer->set_full(FullSettings{});
            home.announcer->set_link(own_link());
            home.announcer->set_options({option_a});
            home.meet_daemon();
            CHECK(home.announcer->beside().yields_to == home.daemon.address());
            CHECK(!home.announcer->announced().full);
            const auto heard = home.host.heard_whole();
            REQUIRE(heard.size() == 1);
            CHECK(heard[0].options == NdOptions{option_a});
            CHECK(heard[0].header.cur_hop_limit == 0);
            CHECK(heard[0].header.router_lifetime == Daemon::header.router_lifetime);
        });
        on_own_link([] {
            Home home;
            home.announcer->set_full(FullSettings{});
            home.announcer->set_link(own_link());
            home.announcer->set_options({option_a});
            home.run_for(1100ms);
            CHECK(home.host.heard_whole().size() == 1);
            CHECK(!home.announcer->beside().yields_to);
            home.daemon.advertise(all_nodes);
            home.run_for(50ms);
            CHECK(home.announcer->beside().yields_to == home.daemon.address());
            home.daemon.advertise(all_nodes, {64, 0, 0s, 0ms, 0ms});
            home.run_for(3s);
            CHECK(!home.announcer->beside().yields_to);
            const auto heard = home.host.heard_whole();
            REQUIRE(!heard.empty());
            CHECK(heard.back().header.router_lifetime == FullSettings{}.router_lifetime);
            CHECK(home.stored.back().full);
        });
    }

    TEST_CASE("a supplement that is to be the daemon asks whether the one beside it still lives") {
        for (const bool lives : {false, true})
            on_own_link([lives] {
                Home home;
                home.announcer->set_options({option_a});
                home.run_for(30ms);
                home.daemon.advertise(*parse_ipv6("fe80::99"));  // us it never answered
                home.run_for(30ms);
                home.daemon.ignore_asked();
                home.announcer->set_full(FullSettings{});
                home.announcer->set_link(own_link());
                home.run_for(50ms);
                CHECK(home.announcer->beside().yields_to == home.daemon.address());
                if (lives) home.daemon.answer();
                (void)home.host.heard_whole();
                home.run_for(4700ms);
                CHECK(home.announcer->beside().yields_to.has_value() == lives);
                CHECK(home.announcer->announced().full == !lives);
                const auto heard = home.host.heard_whole();
                CHECK(std::any_of(heard.begin(), heard.end(), [](const Advertisement& one) {
                          return !is_supplement(one);
                      }) == !lives);
            });
    }

    TEST_CASE("encrypted DNS is left to a daemon that tells of it itself") {
        on_own_link([] {
            Home home;
            home.announcer->set_options({option_a});
            home.meet_daemon();
            (void)home.host.heard();
            Writer out;
            write(out, Advertisement{Daemon::header, {hex("0501 0000 000005dc"), option_b}});
            REQUIRE(send_icmpv6(*open_icmpv6_socket("lan0"), home.daemon.address(), all_nodes,
                                out.view()));
            home.run_for(50ms);
            const auto beside = home.announcer->beside();
            CHECK(beside.left_to_daemon == NdOptions{option_a});
            CHECK(beside.daemon_tells == NdOptions{option_b});
            CHECK(home.announcer->announced().options == NdOptions{withdrawn(option_a)});
        });
    }

    TEST_CASE("another router is noticed") {
        on_own_link([] {
            Home home;
            home.announcer->set_full(FullSettings{});
            home.announcer->set_link(own_link());
            home.announcer->set_options({});
            home.run_for(1100ms);
            auto other = open_icmpv6_socket("host0");
            REQUIRE(other);
            Writer out;
            const Buffer rdnss = hex("1903 0000 00000708 fd660000000000000000000000000001");
            write(out, Advertisement{{32, 0, 1800s, 0ms, 0ms}, {rdnss}});
            REQUIRE(send_icmpv6(*other, Ipv6{}, all_nodes, out.view()));
            home.run_for(50ms);
            CHECK(home.announcer->counters().other_advertisements == 1);
            CHECK(home.announcer->counters().contradictions == 1);
            CHECK(!home.announcer->beside().yields_to);
        });
    }

    TEST_CASE("who did not ask lately takes nothing for an answer") {
        on_own_link([] {
            Home home;
            home.announcer->set_full(FullSettings{});
            home.announcer->set_link(own_link());
            home.announcer->set_options({});
            home.run_for(LinkAnnouncer::answer_within_max + 2500ms);  // since its last question
            home.daemon.advertise(home.daemon.address());  // over loopback, as answers come
            home.run_for(50ms);
            CHECK(home.announcer->counters().daemon_advertisements == 0);
        });
    }

    TEST_CASE("what could not be sent still stands, and leaves when it can") {
        on_own_link([] {
            Home home;
            home.announcer->set_options({option_a});
            home.meet_daemon();
            (void)home.host.heard();
            REQUIRE(std::system("ip link set lan0 down") == 0);
            home.announcer->set_options({});
            home.run_for(Sender::multicast_spacing + 100ms);
            CHECK(home.announcer->counters().send_failures > 0);
            CHECK(home.announcer->announced().options == NdOptions{withdrawn(option_a)});
            CHECK(home.stored.back().standing());
            REQUIRE(std::system(("ip link set lan0 up && ip addr replace " +
                                 to_text(home.daemon.address()) + "/64 dev lan0 nodad")
                                    .c_str()) == 0);
            CHECK(home.withdraw());
            CHECK(home.host.heard().size() >= 3);
            CHECK(!home.stored.back().standing());
        });
    }

    TEST_CASE("closed, or gone with its loop, it leaves quietly") {
        on_own_link([] {
            Home home;
            home.meet_daemon();
            home.announcer->set_options({option_a});
            home.announcer->close();
            home.run_for(100ms);
            CHECK(home.host.heard().size() <= 1);
            home.announcer->set_options({option_b});
            home.run_for(100ms);
            CHECK(home.host.heard().empty());
        });
        on_own_link([] {
            Home home;
            home.announcer->set_options({option_a});
            home.run_for(10ms);
        });
    }
}

}  // namespace
}  // namespace porchlight::ra
