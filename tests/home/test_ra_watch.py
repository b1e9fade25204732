"""Whatever happens to porchlight, a host beside another RA daemon keeps what it had from it."""

from __future__ import annotations

import socket
import struct
from typing import Any

import pytest

from lab import Home, ra
from lab.program import eventually
from lab.ra import RESOLVER, announce, resolvers, until_announced, withdrawals
from lab.router import LAN6, Router
from lab.watch import Watch, watching

ALL_NODES = "ff02::1"
# Within its first minute dnsmasq speaks every 5 to 20 s, whatever it is told.
LIFETIME_S = {"dnsmasq": 30, "radvd": 12}


def daemon_of(name: str, router: Router) -> Any:
    if name == "dnsmasq":
        return ra.DnsmasqRa(router, lifetime_s=LIFETIME_S[name])
    ra.without_ra(router)
    return ra.Radvd(router, lifetime_s=LIFETIME_S[name])


def until_told_anew(router: Router, watch: Watch) -> None:
    """From now on, not counting what was told before."""
    before = len(watch.arrivals)
    until_announced(router)
    eventually("the host hears of the resolver", lambda: RESOLVER in resolvers(
        watch.heard[before:]))


def until_withdrawn(watch: Watch, before: int) -> None:
    eventually("the host is told to forget it", lambda: len(withdrawals(
        watch.heard[before:])) >= 3)


def say_farewell(router: Router, flags: int) -> None:
    """What only the daemon may say: no default router any more, no plain resolver."""
    rdnss = struct.pack("!BBHI", 25, 3, 0, 0) + socket.inet_pton(socket.AF_INET6, LAN6)
    with router.ns.entered():
        index = socket.if_nametoindex("br-lan")
        mouth = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    with mouth:
        mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        header = struct.pack("!BBHBBHII", 134, 0, 0, 0, flags, 0, 0, 0)
        mouth.sendto(header + rdnss, (ALL_NODES, 0, 0, index))


@pytest.mark.parametrize("name", ["dnsmasq", "radvd"])
def test_a_host_keeps_route_flags_and_plain_resolvers_through_everything(name: str) -> None:
    with Home() as home:
        router = home.router
        daemon = daemon_of(name, router)
        daemon.start()
        host = home.host()
        eventually("the daemon's default route", lambda: ra.default_route(host))
        announce(router, "supplement")
        flags = next(host.advertisements(10)).flags

        with watching(host) as watch:
            router.start_porchlight()
            until_told_anew(router, watch)

            # The agent is killed, and started again by its keeper.
            agent = router.status()["processes"]["agent"]
            ra.kill(agent)
            router.until("a new agent", lambda status: status["processes"]["agent"] not in (
                0, agent))
            until_told_anew(router, watch)

            # The RA daemon starts anew, and so does dnsmasq where that is another.
            daemon.kill()
            daemon.start()
            until_told_anew(router, watch)
            if name != "dnsmasq":
                router.restart_dnsmasq()
                until_told_anew(router, watch)

            # porchlight starts anew.
            before = len(watch.arrivals)
            assert router.stop_porchlight() == 0
            until_withdrawn(watch, before)
            router.start_porchlight()
            until_told_anew(router, watch)

            # The keeper is killed: its last will withdraws.
            before = len(watch.arrivals)
            router.kill_porchlight()
            until_withdrawn(watch, before)
            eventually("no process of porchlight is left", lambda: not router.programs())
            router.start_porchlight()
            until_told_anew(router, watch)

            # All is killed at once, and what stands is withdrawn by hand.
            before = len(watch.arrivals)
            router.kill_all_of_porchlight()
            assert router.command("withdraw").returncode == 0
            until_withdrawn(watch, before)
            eventually("the daemon speaks on", lambda: not ra.is_supplement(watch.heard[-1]))
        assert not watch.route_was_lost()
        assert watch.flags() == {flags}
        assert not watch.rdnss_lapsed()
        # What fell between two looks stands in the kernel's messages.
        assert len(watch.looks) > 50 and watch.longest_gap_s() < 5

        # The control: the same watch misses nothing of it when the daemon ends.
        with watching(host) as watch:
            next(host.advertisements(10))
            eventually("the route stands", lambda: watch.looks and watch.looks[-1][1])
            if name == "radvd":
                daemon.stop()  # which says farewell by itself
            else:
                say_farewell(router, flags ^ 0xC0)
            # Which in dnsmasq's case it brings back.
            eventually("the route is gone", lambda: not all(routed for _, routed in watch.looks))
            eventually("the kernel says so", lambda: any(
                line.startswith("Deleted default") for line in watch.deleted))
        assert watch.route_was_lost() and watch.rdnss_lapsed()
        assert any(line.startswith("Deleted default") for line in watch.deleted)
        assert name == "radvd" or watch.flags() == {flags, flags ^ 0xC0}
