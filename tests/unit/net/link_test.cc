#include "net/link.h"

#include <doctest/doctest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>

#include "core/file_descriptor.h"

namespace porchlight::net {
namespace {

using namespace std::chrono_literals;

const Link* loopback(const std::vector<Link>& links) {
    for (const Link& link : links)
        if (link.name == "lo") return &link;
    return nullptr;
}

void switch_loopback(bool on) {
    FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = static_cast<short>(on ? IFF_UP : 0);
    REQUIRE(::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0);
}

/// Runs `body` in a network namespace of its own; says so and does nothing where that is denied.
template <class Body>
void in_own_namespace(Body body) {
    bool entered = false;
    std::exception_ptr failure;
    std::thread([&] {
        entered = ::unshare(CLONE_NEWNET) == 0;
        try {
            if (entered) body();
        } catch (...) {  // a REQUIRE that did not hold
            failure = std::current_exception();
        }
    }).join();
    if (failure) std::rethrow_exception(failure);
    if (!entered) MESSAGE("no privilege for a network namespace: not tested");
}

Link sample() {
    return {"lan", 3, true, true, {{*parse_address("fd77::1"), 64, false, false, false, 100s}}};
}

TEST_SUITE("net/link") {
    TEST_CASE("loopback is read with its addresses") {
        auto links = read_links();
        REQUIRE(links);
        const Link* lo = loopback(*links);
        REQUIRE(lo != nullptr);
        CHECK(lo->index == ::if_nametoindex("lo"));
        CHECK(lo->up);
        CHECK(lo->mtu_octets > 1280);
        CHECK(lo->hardware_address == Buffer(6, 0));
        bool found = false;
        for (const LinkAddress& address : lo->addresses) {
            if (address.address != *parse_address("127.0.0.1")) continue;
            found = true;
            CHECK(address.prefix == 8);
            CHECK(!address.tentative);
            CHECK(!address.temporary);
            CHECK(!address.valid);
            CHECK(!address.preferred);
        }
        CHECK(found);
    }

    TEST_CASE("a change is reported once, also when it is many") {
        in_own_namespace([] {
            asio::io_context loop;
            int calls = 0;
            std::vector<Link> last;
            auto monitor = LinkMonitor::create(loop.get_executor(), [&](const auto& links) {
                ++calls;
                last = links;
            });
            REQUIRE(monitor);
            REQUIRE(loopback(monitor->links()) != nullptr);
            CHECK(!loopback(monitor->links())->up);
            CHECK(loopback(monitor->links())->addresses.empty());

            switch_loopback(true);
            loop.run_for(300ms);
            CHECK(calls == 1);
            REQUIRE(loopback(last) != nullptr);
            CHECK(loopback(last)->up);
            CHECK(loopback(last)->addresses.size() == 2);
            CHECK(same_but_for_lifetimes(last, monitor->links()));

            for (int i = 0; i < 10; ++i) switch_loopback(i % 2 != 0);
            switch_loopback(false);
            loop.run_for(300ms);
            CHECK(calls == 2);
            CHECK(!loopback(last)->up);
        });
    }

    TEST_CASE("IPv6 default routes are read and followed, and routes that refuse are none") {
        in_own_namespace([] {
            asio::io_context loop;
            int calls = 0;
            auto monitor = LinkMonitor::create(loop.get_executor(), [&](const auto&) { ++calls; });
            REQUIRE(monitor);
            CHECK(monitor->default_routes().empty());
            if (std::system("ip link set lo up && ip link add wan0 type veth peer name wan1 && "
                            "ip link set wan0 up && ip link set wan1 up && "
                            "ip -6 route add unreachable default") != 0) {
                MESSAGE("no ip(8), or no pairs of links: not tested");
                return;
            }
            loop.run_for(300ms);
            CHECK(monitor->default_routes().empty());
            calls = 0;
            REQUIRE(std::system("ip -6 route add default dev wan0 metric 10") == 0);
            loop.run_for(300ms);
            CHECK(calls == 1);
            CHECK(monitor->default_routes() == std::vector{::if_nametoindex("wan0")});
            REQUIRE(std::system("ip -6 route del default dev wan0 metric 10") == 0);
            loop.run_for(300ms);
            CHECK(calls == 2);
            CHECK(monitor->default_routes().empty());
        });
    }

    TEST_CASE("after close nothing is reported") {
        in_own_namespace([] {
            asio::io_context loop;
            int calls = 0;
            auto monitor = LinkMonitor::create(loop.get_executor(), [&](const auto&) { ++calls; });
            REQUIRE(monitor);
            switch_loopback(true);
            loop.run_for(20ms);  // within the time that changes have to settle
            monitor->close();
            loop.run_for(300ms);
            CHECK(calls == 0);
        });
    }

    TEST_CASE("a monitor that is gone leaves nothing running") {
        asio::io_context loop;
        {
            auto monitor = LinkMonitor::create(loop.get_executor(), [](const auto&) {});
        }
        CHECK(loop.run_for(200ms) > 0);
        CHECK(loop.stopped());
    }

    TEST_CASE("a lifetime that runs is no change, anything else is") {
        Link other = sample();
        other.addresses[0].valid = 50s;
        CHECK(same_but_for_lifetimes({sample()}, {other}));
        other.addresses[0].deprecated = true;
        CHECK(!same_but_for_lifetimes({sample()}, {other}));
        other = sample();
        other.carrier = false;
        CHECK(!same_but_for_lifetimes({sample()}, {other}));
        other = sample();
        other.addresses.clear();
        CHECK(!same_but_for_lifetimes({sample()}, {other}));
        CHECK(!same_but_for_lifetimes({sample()}, {}));
    }
}

// A suite of its own, because not every emulator translates next hops.
TEST_SUITE("net/link_multipath") {
    TEST_CASE("a default route of several next hops leaves by each of them") {
        in_own_namespace([] {
            if (std::system("ip link set lo up && ip link add wan0 type veth peer name wan1 && "
                            "ip link set wan0 up && ip link set wan1 up") != 0) {
                MESSAGE("no ip(8), or no pairs of links: not tested");
                return;
            }
            REQUIRE(std::system("ip -6 addr add 2001:db8::1/64 dev wan0 nodad && "
                                "ip -6 addr add 2001:db8:1::1/64 dev wan1 nodad && "
                                "ip -6 route add default metric 5 nexthop via 2001:db8::9 "
                                "nexthop via 2001:db8:1::9") == 0);
            CHECK(read_default_routes()->size() == 2);
        });
    }
}

}  // namespace
}  // namespace porchlight::net
