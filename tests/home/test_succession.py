"""A run ends uncleanly, the configuration is edited, and somebody comes after it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any, Iterator

import dns.exception
import dns.message
import dns.rcode
import pytest

from lab import Home, decode, ra
from lab.host import Host, addresses
from lab.isp import ADN
from lab.program import eventually
from lab.router import LAN4, LAN6, Router
from test_gone import assert_still_standing

PLAN4 = [decode.Resolver(1, ADN, (LAN4,), ("dot",))]


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
    assert host.dhcpv4() == PLAN4
    return host


def off(router: Router) -> dict[str, Any]:
    config = router.config(mode="off", upstream=[])
    for section in ("resolver", "certificate"):
        del config[section]
    return config


def without_dnsmasq(router: Router) -> dict[str, Any]:
    return router.config(announce={"dhcpv4": "off", "dhcpv6": "odhcpd", "ra": "odhcpd"})


EDITS = [pytest.param(off, id="off"), pytest.param(without_dnsmasq, id="without dnsmasq")]


def by_dnsmasq(host: Host) -> dns.message.Message:
    """While it is restarted nobody answers."""
    for _ in range(10):
        with contextlib.suppress(dns.exception.Timeout):
            return host.ask_clear("www.example.org", LAN4, within_s=2)
    raise AssertionError("dnsmasq does not answer")


def assert_dnsmasq_is_free(home: Home, host: Host) -> None:
    eventually("old hosts resolve by the former servers", lambda: addresses(by_dnsmasq(host)))
    assert not home.router.fragment.exists()
    assert host.dhcpv4() == host.dhcpv6() == []


@pytest.mark.parametrize("edit", EDITS)
def test_after_a_power_cut_a_new_configuration_lets_dnsmasq_go(
        home: Home, host: Host, edit: Any) -> None:
    router = home.router
    router.cut_power()
    router.configure(edit(router))
    nameserver = router.resolv_file.read_text()
    router.resolv_file.write_text("")  # the WAN comes later
    router.start_dnsmasq()
    # The control: what the dead run left keeps dnsmasq from asking anybody.
    host.ask_udhcpc()
    assert host.ask_clear("www.example.org", LAN4).rcode() == dns.rcode.REFUSED
    router.start_porchlight()
    router.until("it runs", lambda status: status["plan"] is not None)
    eventually("the fragment is gone", lambda: not router.fragment.exists())
    assert by_dnsmasq(host).rcode() == dns.rcode.REFUSED
    router.resolv_file.write_text(nameserver)
    assert_dnsmasq_is_free(home, host)


@pytest.mark.parametrize("edit", EDITS)
def test_after_a_kill_a_new_configuration_lets_dnsmasq_go(
        home: Home, host: Host, edit: Any) -> None:
    home.router.kill_all_of_porchlight()
    assert_still_standing(host)
    home.router.configure(edit(home.router))
    home.router.start_porchlight()
    assert_dnsmasq_is_free(home, host)


def elsewhere(router: Router, **changes: str) -> Path:
    """Another place for the fragment, in the same conf-dir."""
    other = router.fragment.with_name("other.conf")
    router.configure(router.config(
        dnsmasq=router.config()["dnsmasq"] | {"fragment": str(other)}, **changes))
    return other


@pytest.mark.parametrize("how", ["killed", "reloaded", "power cut"])
def test_a_fragment_elsewhere_is_the_only_one(home: Home, host: Host, how: str) -> None:
    router = home.router
    if how == "killed":
        home.router.kill_all_of_porchlight()
    other = elsewhere(router)
    if how == "power cut":
        router.cut_power()
        router.start_dnsmasq()
    daemon = router.dnsmasq_pid()
    if how == "reloaded":
        router.reload_porchlight()
    else:
        router.start_porchlight()
    eventually("the fragment stands in its new place", other.exists)
    assert list(router.fragment.parent.iterdir()) == [other]
    if how == "power cut":  # else it has read these very words in the old place
        eventually("dnsmasq has begun again", lambda: router.dnsmasq_pid() not in (None, daemon))
    router.until_announced()
    # The control is dnsmasq itself, which does not start with two of them.
    router.restart_dnsmasq()
    router.until_announced()
    assert host.dhcpv4() == PLAN4
    router.fragment.write_text(other.read_text())
    assert router.ns.run("dnsmasq", "--test", "-C", str(router.folder / "dnsmasq.conf"),
                         check=False).returncode != 0
    router.fragment.unlink()


@pytest.mark.parametrize("what", ["fragment", "runtime_directory", "pid_file"])
def test_withdraw_goes_by_what_was_taken_and_not_by_what_was_edited_since(
        home: Home, host: Host, what: str) -> None:
    router = home.router
    if what == "fragment":
        elsewhere(router)
    elif what == "pid_file":
        router.configure(router.config(
            dnsmasq=router.config()["dnsmasq"] | {"pid_file": "/nowhere.pid"}))
    else:
        router.configure(router.config(runtime_directory=str(router.folder / "other-run")))
    # A daemon that lives is seen, whatever directory the file names by now.
    alive = router.command("withdraw", check=False)
    assert alive.returncode == 1 and "a porchlight runs here" in alive.stderr
    home.router.kill_all_of_porchlight()
    assert_still_standing(host)
    assert "nothing is announced any more" in router.command("withdraw").stdout
    assert_dnsmasq_is_free(home, host)
    assert not (router.state / "config.json").exists()


def test_with_other_directories_nothing_of_the_former_ones_stays(home: Home, host: Host) -> None:
    router = home.router
    home.router.kill_all_of_porchlight()
    assert_still_standing(host)
    router.configure(router.config(runtime_directory=str(router.folder / "other-run")))
    router.start_porchlight()
    with host.watching() as heard:
        router.until_announced()
        eventually("hosts are told again", lambda: host.dhcpv4() == PLAN4)
        assert router.stop_porchlight() == 0
    assert any(option.lifetime_s == 0 for each in heard for option in each.encrypted_dns())
    assert not (router.runtime / "announced").exists()
    assert_dnsmasq_is_free(home, host)


def test_after_an_edit_no_host_hears_of_the_former_resolver(home: Home, host: Host) -> None:
    router = home.router
    router.cut_power()
    router.configure(router.config(resolver={"adn": ADN, "dot": {"port": 8853}}))
    router.start_dnsmasq()
    router.start_porchlight()
    new4 = [decode.Resolver(1, ADN, (LAN4,), ("dot",), 8853)]
    heard: list[list[decode.Resolver]] = []

    def is_told() -> bool:
        heard.append(host.dhcpv4())
        return heard[-1] == new4

    eventually("hosts are told of the new port", is_told, within_s=60, every_s=0.1)
    # The control: without an edit they hear of the former one at once (test_power.py).
    assert all(each in ([], new4) for each in heard)


def test_a_dnsmasq_that_lost_the_fragment_gets_it_back(home: Home, host: Host) -> None:
    router = home.router
    router.fragment.unlink()
    router.restart_dnsmasq()
    assert host.dhcpv4() == []
    eventually("hosts are told again", lambda: host.dhcpv4() == PLAN4, within_s=60, every_s=0.5)
    assert router.fragment.exists()


def test_a_dnsmasq_that_came_up_beside_us_and_missed_the_fragment_is_restarted() -> None:
    with Home() as home:
        router = home.router
        # It has read its configuration, and has yet to write its number.
        pid_file = router.folder / "dnsmasq.pid"
        away = pid_file.rename(router.folder / "later.pid")
        router.start_porchlight()
        eventually("the fragment is written", router.fragment.exists)
        host = home.host()
        host.join()
        assert host.dhcpv4() == []
        away.rename(pid_file)
        router.until_announced()
        eventually("hosts are told", lambda: host.dhcpv4() == PLAN4, within_s=60, every_s=0.5)


def test_a_restart_that_failed_once_is_tried_again() -> None:
    with Home() as home:
        router = home.router
        restart = Path(router.config()["dnsmasq"]["restart"][0])
        works = restart.read_text()
        restart.write_text("#!/bin/sh\nexit 1\n")
        router.start_porchlight()
        router.until("it says what failed",
                     lambda status: "trouble" in status["dnsmasq"])
        host = home.host()
        host.join()
        assert host.dhcpv4() == []
        restart.write_text(works)
        eventually("hosts are told", lambda: host.dhcpv4() == PLAN4, within_s=120, every_s=0.5)
        router.until_announced()


def test_a_link_made_anew_while_no_agent_ran_is_served_again(home: Home) -> None:
    router = home.router
    processes = router.status()["processes"]
    os.kill(processes["keeper"], signal.SIGSTOP)
    os.kill(processes["agent"], signal.SIGKILL)
    router.ns.ip("link del br-lan",
                 "link add br-lan type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                 "link set lan0 master br-lan", "link set br-lan up",
                 f"addr add {LAN4}/24 dev br-lan", f"addr replace {LAN6}/64 dev br-lan nodad")
    time.sleep(1)
    os.kill(processes["keeper"], signal.SIGCONT)
    router.until("another agent runs",
                 lambda status: status["processes"]["agent"] != processes["agent"])
    host = home.host()
    host.join()
    eventually("hosts on the new link are served",
               lambda: host.kdig("www.example.org", LAN4, ADN).trusted)
    router.until_announced()


def test_a_link_too_small_for_ipv6_is_advertised_on_once_it_is_not() -> None:
    with Home() as home:
        router = home.router
        router.ns.ip("link set br-lan mtu 1279")
        router.start_porchlight()
        router.until("it says so", lambda status: any(
            "Router Advertisements on br-lan" in line for line in status["cannot"]))
        router.ns.ip("link set br-lan mtu 1500", f"addr replace {LAN6}/64 dev br-lan nodad")
        router.until_announced()
        host = home.host()
        host.join()
        assert [option.resolver.adn for option in host.ra()] == [ADN]


@pytest.mark.parametrize("edit", [
    pytest.param({"form": "full"}, id="leaves lan"), pytest.param({"form": "off"}, id="ra is off")])
def test_hosts_of_a_link_that_is_not_advertised_on_any_more_hear_the_end(
        edit: dict[str, Any]) -> None:
    with Home() as home:
        router = home.router
        ra.second_lan(home)
        ra.announce(router, "full", lan=[{"interface": "br-lan"}, {"interface": "br-guest"}])
        router.start_porchlight()
        ra.until_announced(router)
        with ra.guest(home).watching() as heard:
            eventually("guests are told", lambda: ra.RESOLVER in ra.resolvers(heard))
            router.kill_all_of_porchlight()
            ra.announce(router, **edit)
            assert not ra.withdrawals(heard), "the control: nobody took anything back yet"
            router.start_porchlight()
            eventually("guests hear the end", lambda: ra.withdrawals(heard))
            assert heard[-1].header[6:8] == bytes(2), "and that this is no router to them any more"
