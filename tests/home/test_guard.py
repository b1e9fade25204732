"""Rogue routers and DHCP servers in the home: named always, kept from hosts where that is wanted.

A second host is the witness: what it receives is what a guard is about.
"""

from __future__ import annotations

import re
import time
from typing import Any, Callable, Iterator

import pytest

from lab import Home, ra, rogue
from lab.capture import Capture
from lab.host import Host
from lab.program import Program, eventually
from lab.router import LAN4, Router

TABLE = "porchlight_guard"


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with Home() as home:
        ra.announce(home.router, "supplement", announce={"dhcpv4": "dnsmasq"})
        home.router.start_porchlight()
        ra.until_announced(home.router)
        home.host("witness").join()
        home.host("stranger")
        yield home


@pytest.fixture
def witness(home: Home) -> Host:
    return home.hosts[0]


@pytest.fixture
def stranger(home: Home) -> Host:
    return home.hosts[1]


def guard(router: Router, **changes: Any) -> None:
    """The guard's section of a running porchlight becomes this one."""
    ra.announce(router, "supplement", announce={"dhcpv4": "dnsmasq"}, guard=changes)
    router.reload_and_wait()
    router.until("the guard follows",
                 lambda status: status["guard"]["blocks"] == changes.get("block", False))


def rogues(status: dict[str, Any], by: str = "") -> list[dict[str, Any]]:
    return [one for one in status["guard"]["rogues"] if by in ("", one["by"])]


def named(router: Router, by: str, mac: str) -> dict[str, Any]:
    """The entry of one who goes on sending by that protocol."""
    def found(status: dict[str, Any]) -> list[dict[str, Any]]:
        return [one for one in rogues(status, by) if one["mac"] == mac]

    return found(router.until(f"a rogue is named by {by}", found))[0]


def offers(witness: Host) -> set[str]:
    """The DHCPv4 servers whose answers reach a host that asks."""
    with Capture(witness.ns, "eth0", "udp port 68") as seen:
        witness.ask_udhcpc(within_s=30)
    return {server for row in seen.fields("dhcp.option.dhcp_server_id",
                                          "dhcp.option.dhcp_server_id") for server in row}


def arrivals(witness: Host, stranger: Host) -> dict[str, int]:
    """Of which disguise how many frames reach the witness."""
    with Capture(witness.ns, "eth0") as seen:
        rogue.send(stranger, *rogue.disguises(), rogue.in_a_vlan(), rogue.ordinary())
    rows = [row[0] for row in seen.fields("eth.src[0:4] == 02:00:5e:66", "eth.src")]
    for passes in (rogue.ordinary(), rogue.in_a_vlan()):
        assert rows.count(passes.mac) == len(passes.frames), (
            "what is no rogue's has to pass, and the control: this is how a frame is seen")
    return {each.name: rows.count(each.mac) for each in rogue.disguises() if each.mac in rows}


def all_frames() -> dict[str, int]:
    return {each.name: len(each.frames) for each in rogue.disguises()}


def without_their_first() -> dict[str, int]:
    """What may pass of fragments: without the first the others are nothing."""
    return {each.name: len(each.frames) - 1 for each in rogue.disguises() if len(each.frames) > 1}


def test_this_routers_own_words_are_nobodys(home: Home, witness: Host) -> None:
    heard = next(witness.advertisements(12))
    assert heard.router_lifetime_s, "the control: the router speaks"
    assert LAN4 in offers(witness) and witness.dhcpv6_options(23)[23]
    status = home.router.until("it listens at each port", lambda status: status["guard"][
        "listens_at"] == ["lan0", "lan1", "lan2"])
    assert status["guard"]["detects"] and not status["guard"]["blocks"]
    assert rogues(status) == [] and status["warnings"] == []


def test_a_rogue_router_is_named_with_its_port(home: Home, witness: Host, stranger: Host) -> None:
    router = home.router
    with witness.watching() as heard:
        radvd = rogue.radvd(stranger)
        found = named(router, "Router Advertisement", stranger.mac())
        eventually("the control: hosts hear it", lambda: any(
            25 in {kind for kind, _ in each.options} and each.router_lifetime_s == 12
            for each in heard))
        radvd.stop()
    assert found["port"] == "lan2" and found["link"] == "br-lan"
    assert found["threat"] == "resolver" and found["resolvers"] == [rogue.RESOLVER6]
    status = router.status()
    sentence = (f"A device on port lan2 of br-lan ({stranger.mac()}) tells hosts of another "
                f"resolver by Router Advertisement: {rogue.RESOLVER6}")
    assert sentence in status["warnings"]
    assert f"warning: {sentence}" in router.command("status").stdout
    lines = [line for line in router.porchlight.said().splitlines() if "a rogue tells" in line]
    assert len(lines) == 1, "one who goes on is told once"
    assert "port=lan2" in lines[0] and rogue.RESOLVER6 in lines[0]
    # One row, not two: the announcer of the link leaves it to the guard.
    assert not any("notes" in row for row in status["announced"]["carriers"])


@pytest.mark.parametrize("start, resolvers", [
    (rogue.dnsmasq, [f"{rogue.ADN} at {rogue.ROGUE4}", rogue.ROGUE4]), (rogue.kea, [rogue.ROGUE4])])
def test_a_rogue_dhcpv4_server_is_named(home: Home, witness: Host, stranger: Host,
                                        start: Callable[[Host], Program],
                                        resolvers: list[str]) -> None:
    server = start(stranger)
    eventually("the control: hosts are answered by it",
               lambda: rogue.ROGUE4 in offers(witness), within_s=60)
    found = named(home.router, "DHCPv4", stranger.mac())
    assert found["port"] == "lan2" and found["server"] == rogue.ROGUE4
    assert set(resolvers) <= set(found["resolvers"])
    if start is rogue.dnsmasq:
        assert witness.dhcpv6_options(23)
        found = named(home.router, "DHCPv6", stranger.mac())
        assert found["resolvers"] == [rogue.RESOLVER6] and found["server"].startswith("DUID ")
    server.stop()


def test_no_disguise_deceives(home: Home, stranger: Host) -> None:
    disguises = rogue.disguises()
    rogue.send(stranger, rogue.ordinary(), rogue.in_a_vlan(), *disguises)
    home.router.until("all are named", lambda status: {each.mac for each in disguises} <= {
        one["mac"] for one in rogues(status)})
    status = home.router.status()
    by = {one["mac"]: one["by"] for one in rogues(status)}
    for each in disguises:
        assert by[each.mac] == each.by, each.name
    assert rogue.ordinary().mac not in by
    assert rogue.in_a_vlan().mac not in by


def test_ordinary_traffic_wakes_nobody(home: Home, stranger: Host) -> None:
    """Whoever floods a port with what is in every home shall cost the router nothing."""
    def frames() -> int:
        return home.router.status()["guard"]["counters"]["frames"]

    report, echo, chain = rogue.multicast_report(), rogue.ordinary(), rogue.disguises()[2]
    echo.frames = echo.frames[-1:]  # a first fragment has to be looked at
    assert chain.name == "behind a chain"
    before = frames()
    rogue.send(stranger, *[report, echo, rogue.in_a_vlan()] * 200, chain)
    eventually("the control: what has to be looked at comes last", lambda: frames() > before)
    assert frames() < before + 20, "other hosts may speak meanwhile"


def test_a_flood_takes_no_more_than_its_share(home: Home, stranger: Host) -> None:
    """What comes faster than it is read is the kernel's to drop."""
    def frames() -> int:
        return home.router.status()["guard"]["counters"]["frames"]

    chain = rogue.disguises()[2]
    before, begun = frames(), time.monotonic()
    rogue.send(stranger, *[chain] * 20000)
    looked_at, took_s = frames() - before, time.monotonic() - begun
    assert looked_at > 0, "the control"
    assert looked_at <= 32 * (took_s / 0.02 + 2)


def test_what_is_blocked_reaches_no_host(home: Home, witness: Host, stranger: Host) -> None:
    router = home.router
    assert arrivals(witness, stranger) == all_frames(), "the control: a bridge lets them pass"
    server = rogue.dnsmasq(stranger)
    eventually("the control: so with DHCP", lambda: rogue.ROGUE4 in offers(witness), within_s=60)

    guard(router, block=True)
    assert arrivals(witness, stranger) == without_their_first()
    with Capture(witness.ns, "eth0", "udp port 68 or udp port 546 or icmp6") as seen:
        assert offers(witness) == {LAN4}, "this router's own pass"
        assert witness.dhcpv6_options(23)[23]
        assert next(witness.advertisements(12)).router_lifetime_s
    assert seen.count(f"eth.src == {stranger.mac()} and (dhcp or dhcpv6)") == 0
    assert seen.count(f"eth.src != {stranger.mac()} and dhcpv6.msgtype == 7") > 0
    assert sum(map(int, re.findall(r"counter blocked_\w+ \{\s+packets (\d+)", router.ruleset()))) >= 8
    # What is blocked is named all the same.
    assert rogues(router.status(), "DHCPv4")
    server.stop()


def test_a_port_that_comes_later_is_guarded(home: Home, witness: Host) -> None:
    late = home.host("late")
    port = f"lan{len(home.hosts)}"
    home.router.until("it is listened at", lambda status: port in status["guard"]["listens_at"])
    eventually("and blocked", lambda: f'"{port}"' in home.router.ruleset())
    assert not any(one["port"] == port for one in rogues(home.router.status()))
    assert arrivals(witness, late) == without_their_first()
    home.router.until("who is there is named", lambda status: any(
        one["port"] == port for one in rogues(status)))
    home.router.ns.ip(f"link del {port}")
    home.router.until("it is gone", lambda status: port not in status["guard"]["listens_at"])


def test_who_is_trusted_passes(home: Home, witness: Host, stranger: Host) -> None:
    router = home.router
    disguises = rogue.disguises()
    trusted, name = disguises[0].mac, disguises[0].name
    guard(router, block=True, trusted_macs=trusted)
    eventually("the rules know", lambda: trusted in router.ruleset())
    router.until("so does the guard", lambda status: trusted not in {
        one["mac"] for one in rogues(status)})
    assert name in arrivals(witness, stranger)
    assert trusted not in {one["mac"] for one in rogues(router.status())}
    guard(router, block=True, trusted_ports=["lan2"])
    eventually("the rules know of the port", lambda: '"lan2"' not in router.ruleset())
    router.until("so does the guard",
                 lambda status: "lan2" not in status["guard"]["listens_at"])
    assert arrivals(witness, stranger) == all_frames()
    status = router.status()
    assert "lan2" not in status["guard"]["listens_at"]
    assert not any(one["port"] == "lan2" for one in rogues(status))


def test_nothing_of_it_stays(home: Home) -> None:
    router = home.router
    guard(router, block=True)
    assert TABLE in router.ruleset()
    guard(router, block=False)
    assert TABLE not in router.ruleset()

    guard(router, block=True)
    assert router.stop_porchlight() == 0
    assert TABLE not in router.ruleset()

    router.start_porchlight()
    eventually("it blocks", lambda: TABLE in router.ruleset())
    router.kill_porchlight()
    eventually("its last will unloads the rules", lambda: TABLE not in router.ruleset())
    eventually("no process is left", lambda: not router.programs())
