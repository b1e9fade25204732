"""What makes porchlight announce, withdraw, and hold on."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Iterator

import dns.edns
import dns.rcode
import pytest

from lab import Home, decode, ra
from lab.host import Host, addresses
from lab.isp import ADN
from lab.program import eventually
from lab.router import LAN4, announces

PLAN4 = [decode.Resolver(1, ADN, (LAN4,), ("dot",))]
DAY = datetime.timedelta(days=1)


@pytest.fixture
def host(home: Home) -> Host:
    host = home.host()
    host.join()
    return host


def withdrawals(advertisements: list[decode.RouterAdvertisement]) -> list[decode.NdOption]:
    return [option for each in advertisements for option in each.encrypted_dns()
            if option.lifetime_s == 0]


@contextlib.contextmanager
def kept_dead(keeper: int, role: str) -> Iterator[None]:
    """Kills a child of the keeper as often as it comes back, before it can answer anything."""
    over = threading.Event()

    def kill() -> None:
        children = Path(f"/proc/{keeper}/task/{keeper}/children")
        while not over.wait(0.002):
            for pid in children.read_text().split():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    if role.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                        os.kill(int(pid), signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


def ede(answer: dns.message.Message) -> list[int]:
    return [option.code for option in answer.options if isinstance(option, dns.edns.EDEOption)]


def test_a_forwarder_that_is_killed_comes_back_and_nothing_is_withdrawn(
        home: Home, host: Host) -> None:
    before = home.router.status()["processes"]
    with host.watching() as heard:
        os.kill(before["forwarder"], signal.SIGKILL)
        eventually("DoT answers again",
                   lambda: host.kdig("www.example.org", LAN4, ADN).trusted)
        after = home.router.until("a new forwarder", lambda status: status["processes"][
            "forwarder"] not in (0, None, before["forwarder"]))
        time.sleep(3)
    assert after["processes"]["keeper"] == before["keeper"]
    assert announces(home.router.status()) and host.dhcpv4() == PLAN4
    assert withdrawals(heard) == []


def test_an_agent_that_is_killed_comes_back_and_the_forwarder_serves_on(
        home: Home, host: Host) -> None:
    before = home.router.status()["processes"]
    os.kill(before["agent"], signal.SIGKILL)
    assert addresses(host.ask("www.example.org", LAN4, ADN)) == ["198.51.100.81"]
    after = home.router.until("another agent announces", lambda status: announces(
        status) and status["processes"]["agent"] != before["agent"])
    assert after["processes"]["forwarder"] == before["forwarder"]


@pytest.mark.slow
def test_a_forwarder_that_stays_away_is_no_longer_announced_until_it_is_well(
        home: Home, host: Host) -> None:
    keeper = home.router.status()["processes"]["keeper"]
    with host.watching() as heard, kept_dead(keeper, "forwarder"):
        home.router.until_withdrawn(within_s=90)
        eventually("hosts hear that it is gone", lambda: withdrawals(heard))
        assert host.dhcpv4() == [] and host.dhcpv6() == []
    home.router.until_announced(within_s=150)
    assert host.dhcpv4() == PLAN4


@pytest.mark.slow
def test_a_forwarder_that_hangs_is_withdrawn_then_replaced(home: Home, host: Host) -> None:
    before = home.router.status()["processes"]
    with host.watching() as heard:
        os.kill(before["forwarder"], signal.SIGSTOP)
        home.router.until_withdrawn()
        eventually("hosts hear that it is gone", lambda: withdrawals(heard))
    # The watchdog ends it; the next one must be well for a while.
    after = home.router.until_announced(within_s=180)["processes"]
    assert after["keeper"] == before["keeper"] and after["forwarder"] != before["forwarder"]
    assert host.dhcpv4() == PLAN4


def test_an_agent_that_dies_while_nothing_is_announced_announces_nothing() -> None:
    with Home() as home:
        router = home.router
        ra.without_ra(router)
        router.configure(router.config(announce={"ra": "full", "ra_interval": "4s"}))
        router.start_porchlight()
        before = router.until_announced()["processes"]
        host = home.host()
        with host.watching() as heard, kept_dead(before["keeper"], "forwarder"):
            eventually("the control: hosts are told", lambda: ra.resolvers(heard))
            router.until_withdrawn()
            os.kill(router.status()["processes"]["agent"], signal.SIGKILL)
            router.until("another agent", lambda status: status["processes"]["agent_starts"] == 2)
            first = len(heard)
            eventually("it advertises", lambda: len(heard) > first + 1)
            assert not ra.resolvers(heard[first:]) and not announces(router.status())


def test_an_upstream_that_is_gone_is_said_and_survived(home: Home, host: Host) -> None:
    assert addresses(host.ask("short.example.net", LAN4, ADN)) == ["198.51.100.2"]
    assert addresses(host.ask("www.example.net", LAN4, ADN)) == ["198.51.100.80"]
    time.sleep(3)  # `short` has outlived its TTL
    home.isp.unbound.stop()
    with host.watching() as heard:
        fresh = host.ask("www.example.net", LAN4, ADN)
        assert addresses(fresh) == ["198.51.100.80"]
        stale = host.ask("short.example.net", LAN4, ADN, within_s=10)
        assert addresses(stale) == ["198.51.100.2"] and 3 in ede(stale), stale
        failed = host.ask("never.load.example.org", LAN4, ADN, within_s=10)
        assert failed.rcode() == dns.rcode.SERVFAIL and ede(failed), failed
        status = home.router.until("the status says that no upstream answers", lambda status: all(
            upstream["state"] == "unreachable" for upstream in status["upstreams"]))
        assert announces(status), status
        assert host.dhcpv4() == PLAN4
    assert withdrawals(heard) == []
    home.isp.start_unbound()
    eventually("the home resolves again by itself", lambda: addresses(
        host.ask("again.load.example.org", LAN4, ADN, within_s=20)))


def test_a_restarted_dnsmasq_is_fed_as_before_and_loses_no_lease(home: Home, host: Host) -> None:
    lease = host.ask_udhcpc()["ip"]
    home.router.restart_dnsmasq()
    assert host.dhcpv4() == PLAN4
    assert host.dhcpv6() == decode.planned(home.router.status(), "br-lan", 6)
    assert host.ask_udhcpc()["ip"] == lease
    assert addresses(host.ask_clear("www.example.org", LAN4)) == ["198.51.100.81"]


def test_a_dnsmasq_that_crashed_is_fed_when_it_is_back(home: Home, host: Host) -> None:
    pid = home.router.dnsmasq_pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    eventually("dnsmasq is dead", lambda: home.router.dnsmasq_pid() is None)
    status = home.router.until("it is said that nobody tells hosts by DHCP", lambda status:
                               not status["announced"]["dhcpv4"])
    assert "dnsmasq is not running" in status["warnings"][0] and status["announced"]["ra"]
    assert addresses(host.ask("www.example.org", LAN4, ADN)), "DoT needs no dnsmasq"
    home.router.start_dnsmasq()
    eventually("hosts are told again", lambda: host.dhcpv4() == PLAN4)
    home.router.until_announced()


def test_a_flood_from_one_host_withdraws_nothing(home: Home, host: Host) -> None:
    flooder = home.host("flooder")
    flooder.join()
    with host.watching() as heard:
        flood = [flooder.flood(LAN4, ADN, for_s=14) for _ in range(3)]
        end = time.monotonic() + 14
        answered = 0
        while time.monotonic() < end:
            status = home.router.status()
            assert announces(status), status
            answered += bool(addresses(host.ask("www.example.org", LAN4, ADN, within_s=10)))
            time.sleep(0.5)
        sent = sum(each() for each in flood)
    assert sent > 10000, f"{sent} queries are no flood"
    assert answered >= 2 and withdrawals(heard) == []  # who is not answered in time raises
    assert host.dhcpv4() == PLAN4


# Certificates from files: each story starts with a bad one.

@pytest.fixture
def other_home() -> Iterator[Home]:
    with Home() as home:
        yield home


def files(home: Home, *names: str, **dates: datetime.timedelta) -> dict:
    chain, key = home.internet.leaf(*names, **dates, file="router")
    return {"files": {"chain": str(chain), "key": str(key)}}


@pytest.mark.parametrize("fault, names, dates", [
    ("expired", [ADN], {"not_before": -2 * DAY, "not_after": -DAY}),
    ("not yet valid", [ADN], {"not_before": DAY, "not_after": 2 * DAY}),
    ("another name", ["cpe2.example.net"], {})],
    ids=["expired", "not yet valid", "another name"])
def test_an_unfit_certificate_is_not_announced_and_said(
        other_home: Home, fault: str, names: list[str], dates: dict) -> None:
    router = other_home.router
    router.configure(certificate=files(other_home, *names, **dates))
    router.start_porchlight()
    status = router.until("the certificate is judged",
                          lambda status: status["certificate"]["fit"] is False
                          and status["certificate"]["not_after"])
    assert status["certificate"]["why"], status
    host = other_home.host()
    host.join()
    with host.watching() as heard:
        assert host.dhcpv4() == [] and host.dhcpv6() == []
        assert host.ra(within_s=5) == []
    assert not any(each.encrypted_dns() for each in heard)
    assert "certificate" in router.command("status").stdout
    assert addresses(host.ask_clear("www.example.org", LAN4)), "old hosts are served anyhow"

    router.configure(certificate=files(other_home, ADN))
    router.reload_porchlight()
    router.until_announced(within_s=60)
    assert host.dhcpv4() == PLAN4


def test_a_certificate_that_expires_meanwhile_is_announced_no_longer(other_home: Home) -> None:
    router = other_home.router
    host = other_home.host()
    host.join()
    router.configure(certificate=files(other_home, ADN,
                                       not_after=datetime.timedelta(seconds=15)))
    with host.watching() as heard:
        router.start_porchlight()
        router.until_announced()
        status = router.until_withdrawn()
        eventually("hosts hear that it is gone", lambda: withdrawals(heard))
    assert "expired" in status["certificate"]["why"] and "expired" in status["summary"]
    assert host.dhcpv4() == host.dhcpv6() == []


def test_a_reload_to_another_name_announces_it_once_it_was_looked_at(other_home: Home) -> None:
    router = other_home.router
    router.configure(certificate=files(other_home, ADN, "cpe2.example.net"))
    router.start_porchlight()
    router.until_announced()
    host = other_home.host()
    host.join()
    router.configure(certificate=files(other_home, ADN), resolver={"adn": "cpe2.example.net"})
    router.reload_porchlight()
    status = router.until("the certificate is for another name",
                          lambda status: status["certificate"]["fit"] is False)
    assert not any(status["announced"][c] for c in ("dhcpv4", "dhcpv6", "ra")), status
    heard: list[list[decode.Resolver]] = []
    eventually("hosts are told nothing", lambda: heard.append(host.dhcpv4()) or heard[-1] == [])
    assert all(each in ([], PLAN4) for each in heard), "of the new name not for a moment"


def test_a_ca_that_is_down_at_the_start_is_tried_until_it_is_up(other_home: Home) -> None:
    other_home.isp.pebble.stop()
    router = other_home.router
    router.start_porchlight()
    status = router.until("a status", lambda status: True)
    assert not any(status["announced"][c] for c in ("dhcpv4", "dhcpv6", "ra"))
    host = other_home.host()
    host.join()
    assert host.dhcpv4() == []
    assert addresses(host.ask_clear("www.example.org", LAN4)), "old hosts are served meanwhile"
    time.sleep(3)
    other_home.restart_ca()
    router.until_announced(within_s=90)
    assert host.kdig("www.example.org", LAN4, ADN).trusted


def test_a_stored_certificate_is_served_while_the_ca_is_down(other_home: Home) -> None:
    router = other_home.router
    router.start_porchlight()
    first = router.until_announced()["certificate"]
    router.stop_porchlight()
    other_home.isp.pebble.stop()
    router.start_porchlight()
    again = router.until_announced()["certificate"]
    assert again["not_after"] == first["not_after"]
    host = other_home.host()
    host.join()
    assert host.kdig("www.example.org", LAN4, ADN).trusted


def with_slow_nft(folder: Path) -> list[str]:
    """What to start a program by, so that each nft that it runs takes half a second longer."""
    nft, copy, slow = shutil.which("nft"), folder / "nft", folder / "slow-nft"
    assert nft
    shutil.copy(nft, copy)
    slow.write_text(f'#!/bin/sh\nsleep 0.5\nexec {copy} "$@"\n')
    slow.chmod(0o755)
    # Whoever is in a network namespace has a mount namespace of his own.
    return ["sh", "-c", f'mount --bind {slow} {nft} && exec "$@"', "sh"]


def test_a_clock_that_says_1970_does_not_keep_the_home_dark(other_home: Home) -> None:
    # A router without a battery: the certificate is good, only the clock is not.
    router = other_home.router
    router.configure(certificate=files(other_home, ADN))
    # On a slow one, the firewall is the last thing that its listeners wait for. There is no second
    # look: timers stand still in the past.
    router.start_porchlight(*with_slow_nft(router.folder), "faketime", "-f", "@1970-01-01 00:00:30")
    router.until_announced()
    host = other_home.host()
    host.join()
    assert host.dhcpv4() == PLAN4
    assert host.kdig("www.example.org", LAN4, ADN).trusted
