"""porchlight goes away: killed, stopped, uninstalled. Nothing of it stays standing."""

from __future__ import annotations

import os
import shutil
import signal
import time
from typing import Iterator

import dns.exception
import dns.rcode
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


def assert_still_standing(host: Host) -> None:
    """The control: nobody took anything back yet."""
    assert host.dhcpv4()
    with pytest.raises(dns.exception.Timeout):
        host.ask_clear("www.example.org", LAN4, within_s=2)


def assert_old_hosts_are_served(host: Host, name: str) -> None:
    """Resolved by the former servers, or refused at once: no old host waits in vain."""
    answer = host.ask_clear(name, LAN4, within_s=4)
    assert addresses(answer) or answer.rcode() != 0


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
    assert {running["keeper"], running["agent"], running["forwarder"]} <= set(
        home.router.programs())


def test_sigterm_withdraws_and_then_ends_everything(home: Home, host: Host) -> None:
    with host.watching() as heard:
        assert host.ra()
        start = time.monotonic()
        assert home.router.stop_porchlight() == 0
        assert time.monotonic() - start < 10
    assert_withdrawn_octet_for_octet(heard)
    assert host.dhcpv4() == host.dhcpv6() == []
    assert_old_hosts_are_served(host, "www.example.org")
    assert home.router.programs() == []


def test_after_sigkill_nothing_stays_announced(home: Home, host: Host) -> None:
    assert home.router.porchlight
    with host.watching() as heard:
        assert host.ra()
        home.router.kill_porchlight()
        start = time.monotonic()
        eventually("no process of porchlight is left", lambda: not home.router.programs())
        assert time.monotonic() - start < 10
        assert host.dhcpv4() == host.dhcpv6() == []
        assert_old_hosts_are_served(host, "diary.example.org")
        time.sleep(1)
    assert_withdrawn_octet_for_octet(heard)


def test_after_sigkill_a_file_under_edit_keeps_nothing_announced(home: Home, host: Host) -> None:
    home.router.configure("{ somebody is typing")
    home.router.kill_porchlight()
    eventually("no process of porchlight is left", lambda: not home.router.programs())
    assert host.dhcpv4() == host.dhcpv6() == []
    assert_old_hosts_are_served(host, "diary.example.org")


@pytest.mark.parametrize("damage", ["a key", "a bracket", "all", "missing"])
def test_withdraw_goes_by_what_was_taken_whatever_became_of_the_file(
        home: Home, host: Host, damage: str) -> None:
    router = home.router
    good = router.config_file.read_text()
    if damage == "missing":
        router.config_file.unlink()
    else:
        router.configure({"a key": good.replace('"lan"', '"lam"', 1), "all": "{ somebody is typing",
                          "a bracket": good.replace("[", "", 1)}[damage])
    home.router.kill_all_of_porchlight()
    assert_still_standing(host)

    start = time.monotonic()
    with host.watching() as heard:
        if damage in ("a key", "a bracket"):
            done = router.command("withdraw")
        else:
            done = router.ns.run(*with_default_state(home), str(BINARY), "withdraw", "-c",
                                 str(router.config_file))
        assert time.monotonic() - start < 10
        assert "config.json, which was last found good" in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert host.ask_udhcpc() and host.dhcpv4() == host.dhcpv6() == []
        eventually("old hosts resolve by the former servers", lambda: addresses(host.ask_clear(
            "diary.example.org", LAN4)))
    assert_withdrawn_octet_for_octet(heard)
    assert not router.fragment.exists()
    assert router.ruleset().strip() == ""


def with_default_state(home: Home) -> list[str]:
    """A prefix for a command that sees this home's state where a router has it by default."""
    return ["unshare", "-m", "sh", "-c",
            "mount -t tmpfs none /var/lib && mkdir /var/lib/porchlight && "
            f'mount --bind {home.router.state} /var/lib/porchlight && exec "$@"', "sh"]


def test_withdraw_says_where_it_looked_in_vain(plain_home: Home) -> None:
    router = plain_home.router
    router.configure("{ somebody is typing")
    done = router.command("withdraw", check=False)
    router.configure()
    assert done.returncode == 2
    assert str(router.config_file) in done.stderr
    assert "stands in /var/lib/porchlight" in done.stderr


def test_withdraw_can_be_repeated_while_the_file_is_no_good(home: Home) -> None:
    router = home.router
    assert router.stop_porchlight() == 0
    router.configure(router.config(lam=[]))
    done = router.command("withdraw")
    assert "nothing is announced" in done.stdout and "/lam: unknown key" in done.stderr
    # The control: a file that isn't there may be a slip of the pen.
    wrong = router.ns.run(str(BINARY), "withdraw", "-c", "/nowhere.json", check=False)
    assert wrong.returncode == 2
    router.configure()
    router.start_porchlight()
    router.until_announced()


def test_withdraw_does_not_pass_over_what_it_cannot_read(home: Home) -> None:
    home.router.kill_all_of_porchlight()
    announced = home.router.runtime / "announced"
    announced.write_bytes(b"of another layout")
    done = home.router.command("withdraw", check=False)
    assert done.returncode == 1
    assert str(announced) in done.stderr
    assert "nothing is announced any more" not in done.stdout
    # Whoever can read it may still come.
    assert announced.read_bytes() == b"of another layout"


def test_withdraw_unloads_the_rule_of_a_resolver_that_the_file_has_no_more(
        home: Home, host: Host) -> None:
    home.router.kill_all_of_porchlight()
    assert "porchlight" in home.router.ruleset()
    config = home.router.config(mode="off")
    for section in ("resolver", "certificate"):
        del config[section]
    home.router.configure(config)
    # Without nft all the rest goes, and what didn't is told.
    done = home.router.ns.run(
        "unshare", "-m", "sh", "-c", f'mount --bind /dev/null {shutil.which("nft")} && exec "$@"',
        "sh", str(BINARY), "withdraw", "-c", str(home.router.config_file))
    assert "nft: no such program" in done.stderr
    assert host.dhcpv4() == []
    assert "porchlight" in home.router.ruleset()
    assert home.router.command("withdraw").returncode == 0
    assert home.router.ruleset().strip() == ""


def test_where_the_user_wants_it_old_hosts_fail_fast() -> None:
    with Home() as home:
        router = home.router
        router.configure(dnsmasq=router.config()["dnsmasq"] | {"on_exit": "refuse"})
        for end in (router.stop_porchlight, router.kill_porchlight):
            router.start_porchlight()
            router.until_announced()
            host = home.host()
            host.join()
            assert addresses(host.ask_clear("www.example.org", LAN4)) == ["198.51.100.81"]
            end()
            eventually("no process of porchlight is left", lambda: not home.router.programs())
            answer = host.ask_clear("diary.example.org", LAN4, within_s=4)
            assert answer.rcode() == dns.rcode.REFUSED, "at once, and not as time runs out"
            # What the router itself knows is not what was refused.
            assert addresses(host.ask_clear("router.lan", LAN4)) == [LAN4]


def test_sigterm_withdraws_also_where_the_agent_hangs(home: Home, host: Host) -> None:
    with host.watching() as heard:
        assert host.ra()
        os.kill(home.router.status()["processes"]["agent"], signal.SIGSTOP)
        home.router.stop_porchlight()
        eventually("no process of porchlight is left", lambda: not home.router.programs())
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

    assert home.router.programs() == []
    assert router.ruleset().strip() == ""
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
