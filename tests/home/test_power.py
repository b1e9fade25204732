"""The power comes back: every host asks at once, before anything could be probed."""

from __future__ import annotations

import time

import pytest

from lab import Home, decode
from lab.host import addresses
from lab.isp import ADN
from lab.program import eventually
from lab.router import LAN4, Router

PLAN4 = [decode.Resolver(1, ADN, (LAN4,), ("dot",))]


def until_fed(router: Router) -> None:
    """Where the second is too short for a busy machine: that dnsmasq has its file at all. What is in
    it first stands there before any look."""
    eventually("dnsmasq is fed", (router.runtime / "dnsmasq/options").exists)


def test_a_host_that_joins_a_second_after_power_on_is_told(home: Home) -> None:
    router = home.router
    for _ in range(2):
        router.cut_power()
        start = time.monotonic()
        router.start_dnsmasq()
        router.start_porchlight()
        host = home.host()
        time.sleep(max(0.0, 1 - (time.monotonic() - start)))
        until_fed(router)
        assert host.dhcpv4() == PLAN4
        eventually("the resolver that it was told of answers",
                   lambda: host.kdig("www.example.org", LAN4, ADN).trusted)
        router.until_announced()


def test_a_power_cut_at_the_first_start_leaves_nothing_half_written() -> None:
    with Home() as home:
        router = home.router
        for after_s in (0.2, 0.5, 1.0, 1.5):
            router.start_porchlight()
            time.sleep(after_s)
            router.cut_power()
            router.start_dnsmasq()
        router.start_porchlight()
        router.until_announced()
        host = home.host()
        host.join()
        assert addresses(host.ask("www.example.org", LAN4, ADN)) == ["198.51.100.81"]


@pytest.mark.parametrize(("damage", "by", "said"), [
    ("a key", ('"lan"', '"lam"'), "/lam: unknown key"),
    ("a bracket", ("[", ""), "porchlight.json"),
])
def test_a_daemon_that_cannot_start_after_a_power_cut_leaves_nothing_standing(
        damage: str, by: tuple[str, str], said: str) -> None:
    with Home() as home:
        router = home.router
        router.start_porchlight()
        router.until_announced()
        router.cut_power()
        router.configure(router.config_file.read_text().replace(*by, 1))
        router.start_dnsmasq()
        done = router.command("run", check=False)
        assert done.returncode == 2 and said in done.stderr, done.stderr
        assert f"going by {router.state}/config.json" in done.stderr, done.stderr
        host = home.host()
        assert host.dhcpv4() == []
        host.join()
        assert addresses(host.ask_clear("www.example.org", LAN4)) == ["198.51.100.81"]
        assert not router.fragment.exists()


def test_a_restart_before_the_first_certificate_announces_nothing() -> None:
    with Home() as home:
        home.isp.pebble.stop()
        router = home.router
        host = home.host()
        with host.watching() as heard:
            for _ in range(2):
                router.start_porchlight()
                router.until("it looked at itself", lambda status: status["plan"])
                time.sleep(2)
                assert host.dhcpv4() == []
                router.cut_power()
                router.start_dnsmasq()
            assert host.dhcpv4() == []
        assert heard and not [each for each in heard if each.encrypted_dns()]


def test_the_home_comes_up_before_its_wan_does(home: Home) -> None:
    router = home.router
    router.cut_power()
    router.ns.ip("link set eth0 down")
    router.start_dnsmasq()
    router.start_porchlight()
    host = home.host()
    time.sleep(1)
    until_fed(router)
    assert host.dhcpv4() == PLAN4
    host.join()
    eventually("the home's names resolve",
               lambda: host.kdig("router.lan", LAN4, ADN).addresses == (LAN4,))
    router.ns.ip("link set eth0 up",
                 "addr replace 2001:db8:0:1::2/64 dev eth0 nodad",
                 "route replace default via 192.0.2.1",
                 "route replace ::/0 via 2001:db8:0:1::1")
    eventually("names of the world resolve once the WAN is up",
               lambda: host.kdig("www.example.org", LAN4, ADN).addresses, within_s=60)
