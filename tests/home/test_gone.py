"""porchlight goes away: killed, stopped, uninstalled. Nothing of it stays standing."""

from __future__ import annotations

import os
import signal
import time
from typing import Iterator

import pytest

from lab import Home, decode
from lab.host import Host, addresses
from lab.isp import ADN
from lab.program import eventually
from lab.router import BINARY, LAN4


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        home.router.start_porchlight()
        home.router.until_announced()
        yield home


@pytest.fixture
def host(home: Home) -> Host:
    host = home.host()
    host.join()
    assert host.dhcpv4() and host.dhcpv6() and host.ra()
    return host


def announced(heard: list[decode.RouterAdvertisement]) -> list[decode.NdOption]:
    return [option for each in heard for option in each.encrypted_dns()]


def programs(home: Home) -> list[int]:
    """What still runs of porchlight, whatever its name."""
    found = []
    for pid in home.router.ns.pids():
        try:
            program = os.readlink(f"/proc/{pid}/exe")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if program.removesuffix(" (deleted)") == str(BINARY):
            found.append(pid)
    return found


def assert_old_hosts_are_served(host: Host, name: str) -> None:
    """Resolved by the former servers, or refused at once: no old host waits in vain."""
    start = time.monotonic()
    answer = host.ask_clear(name, LAN4, within_s=3)
    assert addresses(answer) or answer.rcode() != 0
    assert time.monotonic() - start < 2


def assert_withdrawn_octet_for_octet(heard: list[decode.RouterAdvertisement]) -> None:
    """RFC 9463 section 6.1 and what hosts do: the same option, its lifetime zero."""
    options = announced(heard)
    last = [option for option in options if option.lifetime_s == 0]
    assert last, "no host was told to stop"
    standing = {option.octets for option in options if option.lifetime_s}
    if standing:
        assert {option.octets[:4] + option.octets[8:] for option in last} <= {
            octets[:4] + octets[8:] for octets in standing}
    # The route is not what is withdrawn: every RA still speaks for a living router.
    assert all(each.router_lifetime_s for each in heard if announced([each]))


def test_this_is_how_processes_are_found(home: Home) -> None:
    # The control of all that says below that no process is left.
    running = home.router.status()["processes"]
    assert {running["keeper"], running["agent"], running["forwarder"]} <= set(programs(home))


def test_sigterm_withdraws_and_then_ends_everything(home: Home, host: Host) -> None:
    with host.watching() as heard:
        assert host.ra()
        start = time.monotonic()
        assert home.router.stop_porchlight() == 0
        assert time.monotonic() - start < 10
    assert_withdrawn_octet_for_octet(heard)
    assert host.dhcpv4() == host.dhcpv6() == []
    assert_old_hosts_are_served(host, "www.example.org")
    assert programs(home) == []


def test_after_sigkill_nothing_stays_announced(home: Home, host: Host) -> None:
    assert home.router.porchlight
    with host.watching() as heard:
        assert host.ra()
        home.router.kill_porchlight()
        start = time.monotonic()
        eventually("no process of porchlight is left", lambda: not programs(home), within_s=8)
        eventually("no host is told by DHCP", lambda: host.dhcpv4() == host.dhcpv6() == [],
                   within_s=10 - (time.monotonic() - start), every_s=0.5)
        assert_old_hosts_are_served(host, "diary.example.org")
        assert time.monotonic() - start < 10
        time.sleep(1)
    assert_withdrawn_octet_for_octet(heard)


def test_after_sigkill_a_file_under_edit_keeps_nothing_announced(home: Home, host: Host) -> None:
    home.router.configure("{ somebody is typing")
    home.router.kill_porchlight()
    eventually("no process of porchlight is left", lambda: not programs(home), within_s=8)
    assert host.dhcpv4() == host.dhcpv6() == []
    assert_old_hosts_are_served(host, "diary.example.org")


def test_sigterm_withdraws_also_where_the_agent_hangs(home: Home, host: Host) -> None:
    with host.watching() as heard:
        assert host.ra()
        os.kill(home.router.status()["processes"]["agent"], signal.SIGSTOP)
        home.router.stop_porchlight()
        eventually("no process of porchlight is left", lambda: not programs(home), within_s=10)
    assert_withdrawn_octet_for_octet(heard)
    assert host.dhcpv4() == host.dhcpv6() == []


def test_withdraw_needs_no_daemon_and_may_be_said_twice(home: Home, host: Host) -> None:
    # The power goes, so nothing of porchlight had a chance; then somebody removes it.
    home.router.cut_power()
    home.router.start_dnsmasq()
    for _ in range(2):
        assert home.router.command("withdraw", "--purge").returncode == 0
    assert not home.router.fragment.exists()
    assert host.dhcpv4() == host.dhcpv6() == []
    home.router.start_porchlight()
    home.router.until_announced()
    assert host.dhcpv4() == [decode.Resolver(1, ADN, (LAN4,), ("dot",))]


def test_switched_off_in_ten_seconds_nothing_stays_behind(home: Home, host: Host) -> None:
    router = home.router
    start = time.monotonic()
    router.stop_porchlight()
    router.command("withdraw", "--purge")
    assert time.monotonic() - start < 10

    assert programs(home) == []
    assert router.ns.run("nft", "list", "ruleset").stdout.strip() == ""
    sockets = router.ns.run("ss", "-H", "-lntu").stdout
    assert ":853 " not in sockets and ":5453 " not in sockets, sockets
    assert list(router.fragment.parent.iterdir()) == []
    assert [path for path in router.runtime.rglob("*") if path.is_socket()] == []
    assert [path for path in router.runtime.rglob("*")
            if path.is_file() and path.stat().st_size] == []
    # The home is what it was before porchlight: even a dnsmasq started anew knows nothing of it.
    router.restart_dnsmasq()
    assert host.dhcpv4() == host.dhcpv6() == []
    assert host.ra(within_s=4) == []
    assert addresses(host.ask_clear("www.example.org", LAN4)) == ["198.51.100.81"]
    assert addresses(host.ask_clear("router.lan", LAN4)) == [LAN4]
