"""Links live: addresses come and go, interfaces too, and the plan follows."""

from __future__ import annotations

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


def test_a_storm_of_addresses_leaves_nothing_behind(home: Home) -> None:
    router = home.router
    router.start_porchlight()
    router.until_announced()
    agent = next(pid for pid in router.ns.pids()
                 if Path(f"/proc/{pid}/comm").read_text().strip() == "pl-agent")
    before = processor_time_s(agent)
    events, took = storm(home, for_s=10)
    # What was true last is what is told, at once after the storm.
    router.ns.ip("addr add fd55::1/64 dev br-lan nodad", f"addr del {LAN6}/64 dev br-lan")
    began = time.monotonic()
    router.until("the last address counts", lambda status: "fd55::1" in addresses_told(status),
                 within_s=15)
    print(f"{events} address events in {took:.1f} s ({events / took:.0f}/s), agent "
          f"{processor_time_s(agent) - before:.2f} s of processor time, told "
          f"{time.monotonic() - began:.2f} s after the last")
    assert events / took > 500, "a storm, not a breeze"
    host = home.host()
    host.ask_udhcpc()
    assert host.kdig("www.example.org", LAN4, ADN).trusted


def storm(home: Home, for_s: float) -> tuple[int, float]:
    """Addresses that come and go on the home's link, as fast as two programs can say it."""
    end = time.monotonic() + for_s
    counts = [0, 0]

    def rain(number: int) -> None:
        lines = [f"addr {verb} 10.{number}.{at // 250}.{at % 250 + 1}/32 dev br-lan"
                 for at in range(500) for verb in ("add", "del")]
        while time.monotonic() < end:
            home.router.ns.ip(*lines)
            counts[number] += len(lines)

    began = time.monotonic()
    threads = [threading.Thread(target=rain, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), time.monotonic() - began


def processor_time_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100
