"""Links live: addresses come and go, interfaces too, and the plan follows."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest

from lab import Home, decode
from lab.isp import ADN
from lab.program import eventually
from lab.router import LAN4, LAN6, announces

ROUTER4 = decode.Resolver(1, ADN, (LAN4,), ("dot",))
SO_RCVBUFFORCE, RTMGRP_IPV4_IFADDR = 33, 0x10  # of Linux; Python names neither


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        yield home


def addresses_told(status: dict) -> set[str]:
    return {address for part in status["plan"] for resolver in part["resolvers"]
            for address in resolver["addresses"]}


def test_a_home_that_is_renumbered_is_told_of_the_new_addresses(home: Home) -> None:
    router = home.router
    router.start_porchlight()
    router.until_announced()
    host = home.host()
    host.join()
    with host.watching() as heard:
        assert host.ra()[0].resolver.addresses == (LAN6,)
        router.ns.ip("addr add 192.168.99.1/24 dev br-lan", f"addr del {LAN4}/24 dev br-lan",
                     "addr add fd99::1/64 dev br-lan nodad", f"addr del {LAN6}/64 dev br-lan")
        status = router.until("the new addresses are planned and fit", lambda status: announces(
            status) and addresses_told(status) == {"192.168.99.1", "fd99::1"})
        told = host.ra()
        assert [option.resolver.addresses for option in told if option.lifetime_s] == [("fd99::1",)]
        eventually("the old address is taken back", lambda: any(
            option.resolver.addresses == (LAN6,) and option.lifetime_s == 0
            for each in heard for option in each.encrypted_dns()))
    assert status["announced"]["dhcpv4"]
    host.ns.ip("addr add 192.168.99.50/24 dev eth0")
    assert host.kdig("www.example.org", "192.168.99.1", ADN).trusted
    # The control: the old address is gone for hosts as it is for the plan.
    assert not host.kdig("www.example.org", LAN4, ADN).trusted


def test_what_was_told_from_an_address_that_is_gone_is_taken_back_from_it(home: Home) -> None:
    router = home.router
    router.start_porchlight()
    router.until_announced()
    host = home.host()
    host.join()
    with host.watching() as heard:
        told = eventually("hosts are told by RA", lambda: next(
            (each for each in heard if each.encrypted_dns()), None), within_s=20)
        daemon = router.dnsmasq_pid()
        assert daemon
        os.kill(daemon, signal.SIGSTOP)  # so that nobody speaks from the new address
        try:
            router.ns.ip("addr add fe80::99/64 dev br-lan nodad",
                         f"addr del {told.source}/64 dev br-lan")
            assert router.stop_porchlight() == 0
        finally:
            os.kill(daemon, signal.SIGCONT)
    gone = [(each.source, option) for each in heard for option in each.encrypted_dns()
            if not option.lifetime_s]
    assert {source for source, _ in gone} == {told.source}
    assert not (router.runtime / "announced").exists(), "nothing is left for a later withdrawal"


def test_an_interface_that_is_down_at_the_start_is_told_of_once_it_comes(home: Home) -> None:
    router = home.router
    router.ns.ip("link set br-lan down")
    router.start_porchlight()
    status = router.until("it says what is missing",
                          lambda status: status["plan"] and status["plan"][0].get("why"))
    assert "br-lan is down" in status["plan"][0]["why"]
    # A link that comes up has lost its IPv6 addresses.
    router.ns.ip("link set br-lan up", f"addr replace {LAN6}/64 dev br-lan nodad")
    router.until_announced()
    host = home.host()
    host.join()
    assert host.kdig("www.example.org", LAN4, ADN).trusted


@pytest.mark.parametrize("how", ["renamed", "made anew"])
def test_an_interface_that_goes_and_comes_again_is_served_again(home: Home, how: str) -> None:
    router = home.router
    router.start_porchlight()
    router.until_announced()
    if how == "renamed":
        # An interface may be renamed while it is up since Linux 6.x only.
        router.ns.ip("link set br-lan down", "link set br-lan name br-away")
        gone, come = "renamed away", ["link set br-away name br-lan"]
    else:
        router.ns.ip("link del br-lan")
        gone, come = "gone", ["link add br-lan type bridge stp_state 0 forward_delay 0 "
                              "mcast_snooping 0", "link set lan0 master br-lan",
                              f"addr add {LAN4}/24 dev br-lan"]
    router.until(f"the interface is {gone}", lambda status:
                 status["plan"][0].get("why") == "there is no interface br-lan")
    router.ns.ip(*come, "link set br-lan up", f"addr replace {LAN6}/64 dev br-lan nodad")
    router.until_announced()
    host = home.host()
    host.join()
    assert host.dhcpv4() == [ROUTER4]
    assert [option.resolver.addresses for option in host.ra()] == [(LAN6,)]
    assert host.kdig("www.example.org", LAN4, ADN).trusted


def test_two_links_each_with_a_plan_of_its_own(home: Home) -> None:
    router = home.router
    router.add_guest_link()
    of_guests = {"adn": "guests.example.org", "addresses": ["198.51.100.9", "2001:db8::9"],
                 "dot": {}}
    router.configure(router.config(lan=[{"interface": "br-lan"},
                                        {"interface": "br-guest", "resolvers": [of_guests]}]))
    router.start_porchlight()
    status = router.until("both are told", lambda status: announces(status) and all(
        part["resolvers"] for part in status["plan"]))
    assert "br-guest guests.example.org" in status["summary"]
    host, guest = home.host(), home.host("guest", "br-guest")
    host.join()
    guest.ask_udhcpc()
    assert host.dhcpv4() == [ROUTER4]
    assert guest.dhcpv4() == [
        decode.Resolver(1, "guests.example.org", ("198.51.100.9",), ("dot",))]
    assert guest.dhcpv6() == [option.resolver for option in guest.ra()] == [
        decode.Resolver(1, "guests.example.org", ("2001:db8::9",), ("dot",))]
    assert [option.resolver.adn for option in host.ra()] == [ADN]


STORM_S = 10


def test_a_storm_of_addresses_is_followed_and_leaves_nothing_behind(home: Home) -> None:
    router = home.router
    router.start_porchlight()
    router.until_announced()
    host = home.host()
    agent = router.status()["processes"]["agent"]
    before = processor_time_s(agent)
    with host.watching() as heard, Storm(home) as storm:
        # In the middle of it the home is renumbered, and hosts hear of it while it goes on.
        time.sleep(0.4 * STORM_S)
        renumber(home, LAN6, "fd55::1")
        began = time.monotonic()
        eventually("hosts are told of the new address", lambda: ("fd55::1",) in told(heard))
        followed_s = time.monotonic() - began
        eventually("the old one is taken back", lambda: (LAN6,) in told(heard, ended=True))
        storm.end()
        # What is true last is what is told, at once after the storm.
        renumber(home, "fd55::1", "fd56::1")
        began = time.monotonic()
        router.until("the last addresses count", lambda status: addresses_told(status) == {
            LAN4, "fd56::1"})
        caught_up_s = time.monotonic() - began
        eventually("hosts hear of them", lambda: ("fd56::1",) in told(heard))
    print(f"{min(storm.each_second)} to {max(storm.each_second)} address events a second for "
          f"{len(storm.each_second)} s, agent {processor_time_s(agent) - before:.2f} s of processor time; in the "
          f"midst of it told after {followed_s:.2f} s, after the last {caught_up_s:.2f} s")
    assert sum(storm.each_second) >= 2000 * STORM_S, "a breeze"
    assert agent == router.status()["processes"]["agent"]
    host.ask_udhcpc()
    assert host.kdig("www.example.org", LAN4, ADN).trusted


def told(heard: list[decode.RouterAdvertisement], ended: bool = False) -> set[tuple[str, ...]]:
    return {option.resolver.addresses for each in heard for option in each.encrypted_dns()
            if (option.lifetime_s == 0) == ended}


def renumber(home: Home, old: str, new: str) -> None:
    home.router.ns.ip(f"addr add {new}/64 dev br-lan nodad", f"addr del {old}/64 dev br-lan")


class Storm:
    """Addresses that come and go on the home's link, as fast as two programs can say it, for STORM_S
    at least and until it is ended; what the kernel told those who listen is counted."""

    def __init__(self, home: Home) -> None:
        self.each_second: list[int] = []
        self._home = home
        self._over = threading.Event()
        with home.router.ns.entered():
            self._ear = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._ear.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        self._ear.bind((0, RTMGRP_IPV4_IFADDR))
        self._threads = [threading.Thread(target=self._count)] + [
            threading.Thread(target=self._rain, args=(number,)) for number in range(2)]

    def __enter__(self) -> "Storm":
        self._begin = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._ear.close()

    def end(self) -> None:
        self._over.wait(max(0, self._begin + STORM_S - time.monotonic()))
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _rain(self, number: int) -> None:
        lines = [f"addr {verb} 10.{number}.{at // 250}.{at % 250 + 1}/32 dev br-lan"
                 for at in range(500) for verb in ("add", "del")]
        while not self._over.is_set():
            self._home.router.ns.ip(*lines)

    def _count(self) -> None:
        while not self._over.is_set():
            events, left, end = 0, 1.0, self._begin + len(self.each_second) + 1
            while not self._over.is_set() and (left := end - time.monotonic()) > 0:
                if select.select([self._ear], [], [], min(left, 0.1))[0]:
                    with contextlib.suppress(OSError):  # more came than there was room for
                        self._ear.recv(65536)
                        events += 1
            if left <= 0:
                self.each_second.append(events)


def processor_time_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100
