#include "ra/wan_listener.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <functional>

#include "hex.h"
#include "own_link.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Buffer dns_isp = hex("9002 0001 00000708 0005 03646e7300 00");
const Buffer dot_isp = hex("9002 0002 00000708 0005 03646f7400 00");
const Buffer for_a_second = hex("9002 0001 00000001 0005 03646e7300 00");
const Buffer for_ever_isp = hex("9002 0001 ffffffff 0005 03646e7300 00");

/// Our WAN is lan0; the ISP's router is at the other end, host0.
struct Wan {
    Wan() : isp(std::move(*open_icmpv6_socket("host0"))) {
        router_address();  // of lan0: usable by now
        listener.emplace(loop.get_executor(), "lan0", time, random, [this] { ++news; });
        listener->use(std::move(*open_wan_socket("lan0")));
    }
    void up() {
        const net::Link link = own_link();
        listener->set_link(&link);
    }
    /// Until it holds, at most for ten seconds.
    bool until(const std::function<bool()>& holds) {
        for (int i = 0; i < 500; ++i) {
            if (holds()) return true;
            run_for(20ms);
        }
        return false;
    }
    void run_for(std::chrono::milliseconds span) {
        loop.run_for(span);
        loop.restart();
    }
    void advertise(const NdOptions& options) {
        Writer out;
        write(out, Advertisement{Daemon::header, options});
        REQUIRE(send_icmpv6(isp, Ipv6{}, all_nodes, out.view()));
    }
    unsigned solicited() {
        unsigned count = 0;
        std::uint8_t buffer[receive_octets_max];
        while (const auto received = receive_icmpv6(isp, buffer))
            if (parse_solicitation(received->octets, received->envelope)) ++count;
        return count;
    }
    std::size_t offered() const { return listener->heard().offered(time.now()).size(); }
    Clock::time_point end_of_first() const {
        const auto all = listener->heard().offered(time.now());
        return all.empty() ? Clock::time_point() : all.front().until;
    }

    asio::io_context loop;
    SystemTime time;
    SystemRandom random;
    FileDescriptor isp;
    int news = 0;
    std::optional<WanListener> listener;
};

TEST_SUITE("ra/wan_listener") {
    TEST_CASE("it asks once the link is up, hears the answer, and asks no more") {
        on_own_link([] {
            Wan wan;
            CHECK(wan.listener->hears());
            wan.run_for(50ms);
            CHECK(wan.solicited() == 0);
            wan.up();
            REQUIRE(wan.until([&] { return wan.solicited() > 0; }));
            CHECK(wan.listener->solicitations() == 1);
            wan.advertise({dns_isp});
            REQUIRE(wan.until([&] { return wan.offered() == 1; }));
            CHECK(wan.news == 1);
            wan.run_for(4200ms);
            CHECK(wan.solicited() == 0);
            // The link comes up again.
            wan.listener->set_link(nullptr);
            CHECK(wan.offered() == 1);
            wan.up();
            CHECK(wan.until([&] { return wan.solicited() > 0; }));
        });
    }

    TEST_CASE("what ends by itself is news") {
        on_own_link([] {
            Wan wan;
            wan.advertise({for_a_second});
            REQUIRE(wan.until([&] { return wan.news > 0; }));
            CHECK(wan.until([&] { return wan.news == 2; }));
            CHECK(wan.offered() == 0);
        });
    }

    TEST_CASE("a link that is made anew is heard by a new socket, what was heard lasts") {
        on_own_link([] {
            Wan wan;
            wan.advertise({dns_isp});
            REQUIRE(wan.until([&] { return wan.offered() == 1; }));
            REQUIRE(std::system("ip link del lan0") == 0);
            wan.listener->set_link(nullptr);
            CHECK(!wan.listener->hears());
            CHECK(wan.offered() == 1);
            REQUIRE(std::system("ip link add lan0 type veth peer name host0 && "
                                "ip link set lan0 up && ip link set host0 up") == 0);
            router_address();
            wan.isp = std::move(*open_icmpv6_socket("host0"));
            wan.up();  // the agent may know before the keeper
            wan.run_for(1200ms);
            CHECK(wan.solicited() == 0);
            wan.listener->use(std::move(*open_wan_socket("lan0")));
            CHECK(wan.listener->hears());
            REQUIRE(wan.until([&] { return wan.solicited() > 0; }));
            wan.advertise({dot_isp});
            CHECK(wan.until([&] { return wan.offered() == 2; }));
        });
    }

    TEST_CASE("nothing but solicitations is ever sent, and nothing comes after the end") {
        on_own_link([] {
            Wan wan;
            wan.up();
            REQUIRE(wan.until([&] { return wan.listener->solicitations() > 0; }));
            std::uint8_t buffer[receive_octets_max];
            unsigned others = 0;
            while (const auto received = receive_icmpv6(wan.isp, buffer))
                if (!parse_solicitation(received->octets, received->envelope)) ++others;
            CHECK(others == 0);
            wan.listener->close();
            wan.advertise({dns_isp});
            wan.run_for(100ms);
            CHECK(wan.news == 0);
        });
    }

    TEST_CASE("what was told for ever must be told again once the link is back") {
        on_own_link([] {
            Wan wan;
            wan.up();
            wan.advertise({for_ever_isp, dot_isp});
            REQUIRE(wan.until([&] { return wan.offered() == 2; }));
            CHECK(wan.end_of_first() == HeardOffers::never);
            wan.listener->set_link(nullptr);
            CHECK(wan.end_of_first() == HeardOffers::never);
            wan.up();
            CHECK(wan.end_of_first() <= wan.time.now() + WanListener::answers_within);
            CHECK(wan.offered() == 2);
            wan.advertise({for_ever_isp});
            CHECK(wan.until([&] { return wan.end_of_first() == HeardOffers::never; }));
        });
    }

    TEST_CASE("who is told to forget does, and asks anew") {
        on_own_link([] {
            Wan wan;
            wan.up();
            wan.advertise({dns_isp});
            REQUIRE(wan.until([&] { return wan.offered() == 1; }));
            wan.run_for(50ms);
            const int news = wan.news;
            const auto asked = wan.listener->solicitations();
            wan.listener->forget();
            CHECK(wan.offered() == 0);
            CHECK(wan.news == news + 1);
            CHECK(wan.until([&] { return wan.listener->solicitations() > asked; }));
        });
    }

    TEST_CASE("an advertisement that came in fragments does not count") {
        on_own_link([] {
            Wan wan;
            Buffer filling(1400, 0);  // of an option that nobody knows
            filling[0] = 250;
            filling[1] = 1400 / 8;
            const int no = 0;
            REQUIRE(::setsockopt(wan.isp.get(), IPPROTO_IPV6, IPV6_DONTFRAG, &no, sizeof no) == 0);
            REQUIRE(std::system("ip link set host0 mtu 1280") == 0);
            wan.advertise({dns_isp, filling});
            REQUIRE(wan.until([&] { return wan.listener->heard().counters().malformed == 1; }));
            CHECK(wan.offered() == 0);
            // Control: as large as it may be.
            filling.resize(1200);
            filling[1] = 1200 / 8;
            wan.advertise({dns_isp, filling});
            CHECK(wan.until([&] { return wan.offered() == 1; }));
        });
    }

    TEST_CASE("no socket is opened for a link that is not there") {
        on_own_link([] {
            const auto socket = open_wan_socket("ppp-later");
            REQUIRE(!socket);
            CHECK(socket.error().code == Errc::unavailable);
        });
    }
}

}  // namespace
}  // namespace porchlight::ra
