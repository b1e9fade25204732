"""Source addresses in the home: one that is leased to a host, or the router's, is nobody else's.

A second host is the witness: what it receives is what other hosts believe.
"""

from __future__ import annotations

import os
import re
import signal
from typing import Any, Iterator

import pytest

from lab import Home, rogue
from lab.capture import Capture
from lab.host import Host
from lab.program import eventually
from lab.router import LAN4, Router

TABLE = "porchlight_guard"


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with Home() as home:
        home.router.configure(guard={"validate_sources": True})
        home.router.start_porchlight()
        for name in ("witness", "stranger"):
            home.host(name)
        yield home


@pytest.fixture(scope="module")
def addresses(home: Home) -> list[str]:
    """Of witness and stranger, by DHCP."""
    addresses = [host.ask_udhcpc()["ip"] for host in home.hosts[:2]]
    eventually("the rules know", lambda: all(one in home.router.ruleset() for one in addresses))
    return addresses


def guard(router: Router, **changes: Any) -> None:
    router.configure(guard=changes)
    router.reload_and_wait()
    wanted = changes.get("validate_sources", False)
    router.until("the guard follows", lambda status: status["guard"]["validates_sources"] == wanted)


def dropped(router: Router) -> int:
    return int(re.search(r"counter forged \{\s+packets (\d+)", router.ruleset())[1])


def arrivals(witness: Host, sender: Host, frames: list[rogue.Disguise]) -> set[str]:
    """What of it reaches the witness; something honest comes last and is waited for."""
    last = rogue.honest(sender, "0.0.0.0")[-2]
    with Capture(witness.ns, "eth0") as seen:
        rogue.send(sender, *frames, last)
    macs = {row[0] for row in seen.fields("eth", "eth.src")}
    assert last.mac in macs, "the control: this is how a frame is seen"
    return {each.name for each in frames if each.mac in macs}


def names(frames: list[rogue.Disguise]) -> set[str]:
    return {each.name for each in frames}


def test_who_forges_reaches_nobody_and_who_is_honest_does(home: Home, addresses: list[str]) -> None:
    router, (witness, stranger) = home.router, home.hosts[:2]
    forged = rogue.forgeries(witness, addresses[0])
    honest = rogue.honest(stranger, addresses[1])
    guard(router)
    assert arrivals(witness, stranger, forged + honest) == names(forged + honest), (
        "the control: a bridge lets all of them pass")
    assert TABLE not in router.ruleset()

    guard(router, validate_sources=True)
    eventually("the rules know", lambda: addresses[0] in router.ruleset())
    router.ns.ip("neigh flush dev br-lan")
    assert arrivals(witness, stranger, forged + honest) == names(honest)
    count = dropped(router)
    assert count >= len(forged)
    # Nor does the router itself believe it.
    neighbors = router.ns.run("ip", "neigh", "show", addresses[0]).stdout
    assert "02:00:5e:67" not in neighbors
    assert witness.ask_clear("router.lan", LAN4, within_s=10)
    # What was dropped is read at each load of the rules, and told.
    guard(router, validate_sources=True, trusted_macs=forged[0].mac)
    status = router.until("it is told", lambda status: (
        status["guard"]["counters"]["forged"] >= count))
    assert status["guard"]["leases"] == 2
    assert "dropped that came from another's address; 2 leases known" in (
        router.command("status").stdout)
    assert arrivals(witness, stranger, forged) == {forged[0].name}, "a repeater, which is trusted"


def test_a_lease_counts_from_when_it_is_given(home: Home, addresses: list[str]) -> None:
    router, (witness, stranger) = home.router, home.hosts[:2]
    guard(router, validate_sources=True)
    late = home.host("late")
    address = late.ask_udhcpc()["ip"]
    eventually("the rules know", lambda: address in router.ruleset())
    assert late.ask_clear("router.lan", LAN4, within_s=10)
    forged = rogue.forgeries(late, address)[:1]
    assert arrivals(witness, stranger, forged) == set()


def test_without_leases_the_routers_own_are_still_its(home: Home, addresses: list[str]) -> None:
    router, (witness, stranger) = home.router, home.hosts[:2]
    guard(router, validate_sources=True)
    forged = rogue.forgeries(witness, addresses[0])
    router.stop_dnsmasq()
    router.until("nobody keeps them", lambda status: any(
        "leased" in one and "dnsmasq is not running" in one for one in status["cannot"]))
    eventually("the rules know no lease", lambda: addresses[0] not in router.ruleset())
    kept = router.leases.read_bytes()
    router.leases.unlink()
    router.until("it says so", lambda status: any(
        str(router.leases) in one and "leased" in one for one in status["cannot"]))
    assert arrivals(witness, stranger, forged) == {"a host's address", "ARP of a host",
                                                   "DHCP in a host's name"}
    router.leases.write_bytes(kept)
    router.start_dnsmasq()
    eventually("they are back", lambda: addresses[0] in router.ruleset(), within_s=60)
    router.until("all is well", lambda status: not any(
        "leased" in one for one in status["cannot"]))
    assert arrivals(witness, stranger, forged) == set()


def test_an_agent_that_dies_takes_no_lease_along(home: Home, addresses: list[str]) -> None:
    router, (witness, stranger) = home.router, home.hosts[:2]
    guard(router, validate_sources=True)
    forged = rogue.forgeries(witness, addresses[0])
    os.kill(router.status()["processes"]["agent"], signal.SIGKILL)
    assert arrivals(witness, stranger, forged) == set()
    router.until("the next one knows them", lambda status: status["guard"].get("leases", 0) >= 2)
    assert arrivals(witness, stranger, forged) == set()


def test_nothing_of_it_stays(home: Home) -> None:
    router = home.router
    guard(router, validate_sources=True)
    assert TABLE in router.ruleset()
    assert router.stop_porchlight() == 0
    assert TABLE not in router.ruleset()
    router.start_porchlight()
    eventually("it validates", lambda: TABLE in router.ruleset())
    router.kill_porchlight()
    eventually("its last will unloads the rules", lambda: TABLE not in router.ruleset())
    eventually("no process is left", lambda: not router.programs())
