#pragma once

#include <doctest/doctest.h>
#include <sched.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>

#include "net/link.h"
#include "ra/link_sockets.h"
#include "ra/mirror.h"

namespace porchlight::ra {

/// Runs `body` in a network namespace of its own, with a link from "lan0" (the router's end) to
/// "host0". The kernel solicits nobody on it, which on a slow machine would come in between. Says
/// so and does nothing where that is denied.
template <class Body>
void on_own_link(Body body) {
    bool made = false;
    std::exception_ptr failure;
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) != 0) return;
        made = std::system(
                   "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad && "
                   "echo 0 > /proc/sys/net/ipv6/conf/default/router_solicitations && "
                   "ip link set lo up && ip link add lan0 type veth peer name host0 && "
                   "ip link set lan0 up && ip link set host0 up && "
                   "ip neigh add fe80::99 lladdr 02:00:00:00:00:99 dev lan0") == 0;
        try {
            if (made) body();
        } catch (...) {  // a REQUIRE that did not hold
            failure = std::current_exception();
        }
    }).join();
    if (failure) std::rethrow_exception(failure);
    if (!made) MESSAGE("no privilege for a network namespace, or no ip(8): not tested");
}

/// The router's end as the kernel has it.
inline net::Link own_link() {
    const auto links = net::read_links();
    REQUIRE(links);
    for (const net::Link& link : *links)
        if (link.name == "lan0") return link;
    FAIL("lan0 is gone");
    return {};
}

/// The router's link-local address, as soon as it has one.
inline Ipv6 router_address() {
    for (int i = 0; i < 100; ++i) {
        const auto links = net::read_links();
        REQUIRE(links);
        for (const net::Link& link : *links)
            for (const net::LinkAddress& one : link.addresses)
                if (const auto* v6 = std::get_if<Ipv6>(&one.address);
                    link.name == "lan0" && v6 != nullptr && !one.tentative)
                    return *v6;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    FAIL("lan0 got no address");
    return {};
}

/// Stands for the RA daemon: advertises a prefix-less default router from lan0.
class Daemon {
  public:
    static constexpr RouterHeader header{64, 0xc0, std::chrono::seconds(1800), {}, {}};

    Daemon() : socket_(std::move(*open_icmpv6_socket("lan0"))), address_(router_address()) {}

    const Ipv6& address() const { return address_; }
    void advertise(const Ipv6& to, const RouterHeader& said = header) {
        Writer out;
        write(out, Advertisement{said, {{1, 1, 2, 0, 0, 0, 0, 1}}});
        REQUIRE(send_icmpv6(socket_, address_, to, out.view()));
    }
    /// What has solicited until now gets no answer.
    void ignore_asked() {
        std::uint8_t buffer[receive_octets_max];
        while (receive_icmpv6(socket_, buffer)) continue;
    }
    /// Answers what has solicited, by unicast as dnsmasq does.
    void answer() {
        std::uint8_t buffer[receive_octets_max];
        while (const auto received = receive_icmpv6(socket_, buffer))
            if (parse_solicitation(received->octets, received->envelope))
                advertise(received->envelope.source);
    }

  private:
    FileDescriptor socket_;
    Ipv6 address_;
};

/// Stands for a host: what comes out of the other end of the link.
class Host {
  public:
    Host() : socket_(std::move(*open_icmpv6_socket("host0"))) {}

    /// Supplements only.
    std::vector<Advertisement> heard() {
        std::vector<Advertisement> found = heard_whole();
        std::erase_if(found, [](const Advertisement& one) { return !is_supplement(one); });
        return found;
    }
    std::vector<Advertisement> heard_whole() {
        std::vector<Advertisement> found;
        std::uint8_t buffer[receive_octets_max];
        while (const auto received = receive_icmpv6(socket_, buffer))
            if (auto one = parse_advertisement(received->octets, received->envelope))
                found.push_back(*one);
        return found;
    }

  private:
    FileDescriptor socket_;
};

}  // namespace porchlight::ra
