#include "net/neighbours.h"

#include <doctest/doctest.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>

#include <boost/asio/io_context.hpp>
#include <exception>
#include <thread>

#include "core/clock.h"
#include "net/netlink.h"

namespace porchlight::net {
namespace {

using namespace std::chrono_literals;

using Message = std::unique_ptr<nl_msg, void (*)(nl_msg*)>;

void send(const Message& message) {
    const auto socket = open_route_socket();
    REQUIRE(socket);
    REQUIRE(nl_send_auto(socket->get(), message.get()) > 0);
    REQUIRE(nl_wait_for_ack(socket->get()) == 0);
}

Message message_of(int kind) {
    return {nlmsg_alloc_simple(kind, NLM_F_CREATE | NLM_F_REPLACE), nlmsg_free};
}

/// A link that hosts can be on: loopback tells no addresses apart.
void make_bridge() {
    const Message message = message_of(RTM_NEWLINK);
    ifinfomsg facts{};
    facts.ifi_flags = IFF_UP;
    facts.ifi_change = IFF_UP;
    REQUIRE(nlmsg_append(message.get(), &facts, sizeof facts, NLMSG_ALIGNTO) == 0);
    REQUIRE(nla_put_string(message.get(), IFLA_IFNAME, "lan") == 0);
    nlattr* const info = nla_nest_start(message.get(), IFLA_LINKINFO);
    REQUIRE(nla_put_string(message.get(), IFLA_INFO_KIND, "bridge") == 0);
    nla_nest_end(message.get(), info);
    send(message);
}

/// Tells the kernel, as a host that answered would.
void set_neighbour(const char* address, Bytes hardware, std::uint16_t state = NUD_REACHABLE) {
    const IpAddress at = *parse_address(address);
    const Bytes octets = std::visit([](const auto& one) { return Bytes(one); }, at);
    ndmsg facts{};
    facts.ndm_family = std::holds_alternative<Ipv4>(at) ? AF_INET : AF_INET6;
    facts.ndm_ifindex = static_cast<int>(::if_nametoindex("lan"));
    facts.ndm_state = state;
    const Message message = message_of(RTM_NEWNEIGH);
    REQUIRE(nlmsg_append(message.get(), &facts, sizeof facts, NLMSG_ALIGNTO) == 0);
    REQUIRE(nla_put(message.get(), NDA_DST, int(octets.size()), octets.data()) == 0);
    if (!hardware.empty())
        REQUIRE(nla_put(message.get(), NDA_LLADDR, int(hardware.size()), hardware.data()) == 0);
    send(message);
}

/// Runs `body` in a network namespace of its own, with a link; says so and does nothing where that
/// is denied.
template <class Body>
void in_own_namespace(Body body) {
    bool entered = false;
    std::exception_ptr failure;
    std::thread([&] {
        entered = ::unshare(CLONE_NEWNET) == 0;
        try {
            if (entered) make_bridge();
            if (entered) body();
        } catch (...) {  // a REQUIRE that did not hold
            failure = std::current_exception();
        }
    }).join();
    if (failure) std::rethrow_exception(failure);
    if (!entered) MESSAGE("no privilege for a network namespace: not tested");
}

const Buffer first_mac{2, 0, 0x5e, 0x10, 0, 1};
const Buffer second_mac{2, 0, 0x5e, 0x10, 0, 2};
const Buffer group_mac{0x33, 0x33, 0, 0, 0, 1};

Neighbour neighbour(const char* address, std::uint8_t last) {
    return {"lan", *parse_address(address), {{2, 0, 0x5e, 0x10, 0, last}}};
}

}  // namespace

TEST_SUITE("net/neighbours") {
    TEST_CASE("hosts of both families are read with their hardware addresses") {
        in_own_namespace([] {
            set_neighbour("fe80::7", second_mac);
            set_neighbour("192.0.2.7", first_mac, NUD_STALE);
            const auto read = read_neighbours();
            REQUIRE(read);
            CHECK(*read == std::vector{neighbour("192.0.2.7", 1), neighbour("fe80::7", 2)});
        });
    }

    TEST_CASE("who did not answer is none, nor is a group") {
        in_own_namespace([] {
            set_neighbour("192.0.2.7", first_mac);
            set_neighbour("192.0.2.8", {}, NUD_INCOMPLETE);
            set_neighbour("fe80::9", first_mac, NUD_FAILED);
            set_neighbour("fe80::10", group_mac);
            const auto read = read_neighbours();
            REQUIRE(read);
            CHECK(*read == std::vector{neighbour("192.0.2.7", 1)});
        });
    }

    TEST_CASE("who comes is told, and who is another machine now") {
        in_own_namespace([] {
            asio::io_context loop;
            std::vector<std::vector<Neighbour>> told;
            auto monitor = NeighbourMonitor::create(
                loop.get_executor(), [&](const auto& neighbours) { told.push_back(neighbours); });
            REQUIRE(monitor);
            CHECK(monitor->neighbours().empty());
            const auto wait_for = [&](std::size_t count) {
                const auto end = Clock::now() + 10s;
                while (told.size() < count && Clock::now() < end) loop.run_one_for(100ms);
                REQUIRE(told.size() == count);
            };
            set_neighbour("fe80::7", first_mac);
            wait_for(1);
            CHECK(told.back() == std::vector{neighbour("fe80::7", 1)});
            set_neighbour("fe80::7", second_mac);
            wait_for(2);
            CHECK(told.back() == std::vector{neighbour("fe80::7", 2)});
            // That it was seen again is no news.
            set_neighbour("fe80::7", second_mac, NUD_STALE);
            set_neighbour("192.0.2.7", first_mac);
            wait_for(3);
            CHECK(monitor->neighbours().size() == 2);
        });
    }
}

}  // namespace porchlight::net
