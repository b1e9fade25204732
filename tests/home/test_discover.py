"""`porchlight discover`: what a host would be told, by whom, and that asking leaves nothing behind."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest

from lab import Home, odhcpd_ra
from lab.discover import discover, resolvers, told, trial
from lab.host import Host
from lab.isp import ADN
from lab.program import eventually
from lab.router import BINARY, LAN4, LAN6, Router, announces

# Option 162 for dns.example.org at the router, over TLS; the same with its name cut short.
FOREIGN4 = bytes.fromhex("0021 0001 11 03646e73 076578616d706c65 036f726700 04 c0a84d01"
                         "0001 0004 03 646f74")
BROKEN4 = FOREIGN4[:12]
FOREIGN6 = bytes.fromhex("0001 0011 03646e73 076578616d706c65 036f726700 0010"
                         "fd770077007700000000000000000001 0001 0004 03 646f74")


def answers(report: dict[str, Any], carrier: str) -> list[str]:
    return [each["address"] for asked in report["asked"] if asked["carrier"] == carrier
            for each in asked["answers"]]


def leases(router: Router) -> str:
    return router.leases.read_text() if router.leases.exists() else ""


def dnsmasq_says(router: Router, *lines: str) -> None:
    with (router.folder / "dnsmasq.conf").open("a") as conf:
        conf.write("".join(f"{line}\n" for line in lines))
    router.restart_dnsmasq()


def dhcp_option(code: str, octets: bytes) -> str:
    return f"dhcp-option-force={code},{octets.hex(':')}"


@pytest.fixture(scope="module")
def foreign_home() -> Iterator[Home]:
    """A router without porchlight, whose dnsmasq names a resolver that is not there."""
    with Home() as home:
        dnsmasq_says(home.router, dhcp_option("162", FOREIGN4),
                     dhcp_option("option6:144", FOREIGN6))
        yield home


def doh_resolver(router: Router, limits: dict[str, Any]) -> dict[str, Any]:
    return router.config(resolver={"adn": ADN, "doh": [{}]}, limits=limits)


def times_limited(router: Router) -> int:
    """How often somebody had too many handshakes that were not done, or broke off."""
    return router.status()["counters"].get("limit_unfinished_client", 0)


@pytest.fixture(scope="module")
def home_with_doh() -> Iterator[Home]:
    """A home with the limits that every home has."""
    with Home() as home:
        home.router.configure(doh_resolver(home.router, {}))
        home.router.start_porchlight()
        home.router.until("hosts are told of HTTPS too", lambda status: announces(status)
                          and "6832" in str(status["announced"]))
        yield home


def test_our_own_router_is_found_by_every_carrier(home: Home) -> None:
    host = home.host()
    report = discover(host.ns, roots=home.trust, seconds=4)
    assert told(report, "dhcpv4") == [(ADN, (LAN4,))]
    assert told(report, "dhcpv6") == told(report, "ra") == [(ADN, (LAN6,))]
    assert report["usable"] and report["sentence"].startswith(f"Hosts on eth0 use {ADN} (")
    assert report["contradictions"] == []
    assert trial(report, "dhcpv6")["tls"] == "TLSv1.3"
    assert trial(report, "dhcpv6")["outcome"] == trial(report, "ra")["outcome"] == "works"
    # Without an IPv4 address there is no way to that of the resolver.
    assert "no address to reach it from" in trial(report, "dhcpv4")["why"]
    host.join()
    assert trial(discover(host.ns, roots=home.trust), "dhcpv4")["outcome"] == "works"
    assert answers(report, "dhcpv4") == [LAN4]
    assert {plain["address"] for plain in report["plain"]} >= {LAN4, LAN6}
    # For people: the sentence first, then everything.
    done = host.ns.run(str(BINARY), "discover", "-i", "eth0", "--timeout", "2", "--roots",
                       str(home.trust))
    assert done.stdout.startswith(report["sentence"].split(" (")[0])
    assert "DHCPv6, from fe80::" in done.stdout and "octets 00" in done.stdout


def test_the_router_itself_hears_what_it_tells(home: Home) -> None:
    # What porchlight advertises, it does not tell itself: a host has to ask meanwhile.
    asker = home.host().ns.start("askers", "sh", "-c",
                                 "while sleep 0.3; do rdisc6 -1 -r 1 -w 300 eth0; done")
    report = discover(home.router.ns, roots=home.trust, interface="br-lan", seconds=4)
    asker.stop()
    assert told(report, "dhcpv4") == [(ADN, (LAN4,))]
    assert told(report, "dhcpv6") == [(ADN, (LAN6,))]
    assert told(report, "ra") == [(ADN, (LAN6,))]


def test_who_looks_again_and_again_meets_no_limit(home_with_doh: Home) -> None:
    """What it tries are whole handshakes, each once, so limits as they come have room for them."""
    router, host = home_with_doh.router, home_with_doh.host()
    host.join()
    for _ in range(4):
        report = discover(host.ns, roots=home_with_doh.trust)
        trials = [each for carrier in ("dhcpv4", "dhcpv6", "ra", "svcb")
                  for resolver in resolvers(report, carrier) for each in resolver["trials"]]
        assert len(trials) >= 12 and {each["alpn"] for each in trials} == {"dot", "h2"}
        assert {each["outcome"] for each in trials} == {"works", "refused"}, trials
        assert all("does not prove the address" in each["why"] for each in trials
                   if each["outcome"] == "refused")
    # The control: who breaks off as many handshakes as one host may, meets that limit, and is
    # found well all the same once it lets him in again.
    before = times_limited(router)
    with host.ns.entered():
        for _ in range(12):
            with socket.create_connection((LAN4, 853), 10) as broken_off:
                broken_off.send(b"\x16\x03\x01\x02\x00\x01")
    eventually("a limit is met", lambda: times_limited(router) > before)
    report = discover(host.ns, roots=home_with_doh.trust)
    assert trial(report, "dhcpv4")["outcome"] == trial(report, "dhcpv6")["outcome"] == "works"


def test_a_limit_that_lasts_is_not_taken_for_a_fault(home_with_doh: Home) -> None:
    router, host = home_with_doh.router, home_with_doh.host()
    host.join()
    router.configure(doh_resolver(router, {"handshake_max": "10min"}))
    router.reload_and_wait()
    assert trial(discover(host.ns, roots=home_with_doh.trust), "dhcpv4")["outcome"] == "works"

    def is_out() -> bool:
        with host.ns.entered(), socket.create_connection((LAN4, 853), 10) as broken_off:
            broken_off.send(b"\x16\x03\x01\x02\x00\x01")
        return times_limited(router) > before

    before = times_limited(router)
    eventually("a limit is met", is_out)
    report = discover(host.ns, roots=home_with_doh.trust, status=1)
    tried = trial(report, "dhcpv4")
    assert tried["outcome"] == "hung-up" and "may limit how often" in tried["why"]
    assert "could not be tried" in report["sentence"] and "not work" not in report["sentence"]


def test_no_lease_is_taken(foreign_home: Home) -> None:
    router, host = foreign_home.router, foreign_home.host()
    report = discover(host.ns, status=1)
    assert "DHCPDISCOVER" in report["asked"][0]["how"]
    assert told(report, "dhcpv4") == [("dns.example.org", (LAN4,))]
    assert host.mac() not in leases(router)
    # The control: a client that takes one is in that file, and then INFORM is asked.
    host.ask_udhcpc()
    eventually("a lease", lambda: host.mac() in leases(router))
    before = leases(router)
    report = discover(host.ns, status=1)
    assert "DHCPINFORM" in report["asked"][0]["how"]
    assert told(report, "dhcpv4") == [("dns.example.org", (LAN4,))]
    assert leases(router) == before


def test_a_client_keeps_its_ports(foreign_home: Home) -> None:
    host = foreign_home.host()
    host.ask_udhcpc()
    with host.ns.entered():
        holders = [socket.socket(family, socket.SOCK_DGRAM)
                   for family in (socket.AF_INET, socket.AF_INET6)]
    try:
        holders[0].bind(("", 68))
        holders[1].bind(("::", 546))
        # The control: held as they are, nobody else has them.
        with host.ns.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second:
            with pytest.raises(OSError):
                second.bind(("", 68))
        report = discover(host.ns, status=1)
        assert told(report, "dhcpv4") == [("dns.example.org", (LAN4,))]
        assert told(report, "dhcpv6") == [("dns.example.org", (LAN6,))]
        # And whoever holds them misses nothing that comes meanwhile.
        for holder in holders:
            holder.settimeout(1)
            assert holder.recv(4096)
    finally:
        for holder in holders:
            holder.close()


def test_no_privilege_is_left_while_it_hears(foreign_home: Home) -> None:
    host = foreign_home.host()
    running = host.ns.start("discover", str(BINARY), "discover", "-i", "eth0", "--timeout", "2")
    status = Path(f"/proc/{running.pid}/status")
    # The control: whom it is started by, and as, has some.
    kept = [line for line in Path("/proc/self/status").read_text().splitlines()
            if line.startswith("CapEff")]
    assert int(kept[0].split()[1], 16) != 0
    eventually("it is nobody", lambda: "CapEff:\t0000000000000000" in status.read_text()
               and "Uid:\t65534\t65534\t65534" in status.read_text())
    assert running.wait() == 1 and "dns.example.org" in running.said()


def test_what_hosts_discard_is_shown_with_its_octets(foreign_home: Home) -> None:
    router, host = foreign_home.router, foreign_home.host()
    conf = router.folder / "dnsmasq.conf"
    before = conf.read_text()
    try:
        conf.write_text(before.replace(FOREIGN4.hex(":"), BROKEN4.hex(":")))
        router.restart_dnsmasq()
        report = discover(host.ns, status=1)
        by4 = next(offer for offer in report["offers"] if offer["carrier"] == "dhcpv4")
        assert by4["octets"] == BROKEN4.hex() and by4["resolvers"] == []
        assert "ends too early" in by4["malformed"]
        assert told(report, "dhcpv6") == [("dns.example.org", (LAN6,))]
    finally:
        conf.write_text(before)
        router.restart_dnsmasq()


def test_a_stranger_who_names_another_is_a_contradiction(foreign_home: Home) -> None:
    host, stranger = foreign_home.host(), foreign_home.host("stranger")
    seen = said_by(stranger, host, odhcpd_ra.dnr("bad.example.org", LAN6, 600))
    assert told(seen, "ra") == [("bad.example.org", (LAN6,))]
    assert any("bad.example.org" in each for each in seen["contradictions"])
    assert any("dns.example.org" in each for each in seen["contradictions"])


def said_by(stranger: Host, host: Host, option: bytes) -> dict[str, Any]:
    """What `host` discovers while `stranger` advertises that option, several times a second."""
    over = threading.Event()
    with stranger.ns.entered():
        index = socket.if_nametoindex("eth0")
        sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)

    def speak() -> None:
        while not over.wait(0.3):
            sender.sendto(odhcpd_ra.advertisement(0, option),
                          (odhcpd_ra.ALL_NODES, 0, 0, index))

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        return discover(host.ns, status=1)
    finally:
        over.set()
        speaker.join()
        sender.close()


def test_nobody_there_and_nobody_allowed(foreign_home: Home) -> None:
    host = foreign_home.host("lonely")
    host.ns.ip("link add nowhere type veth peer name void",
               "link set nowhere up", "link set void up")
    report = discover(host.ns, interface="nowhere", seconds=1, status=1)
    assert not report["usable"] and report["offers"] == []
    assert "Nobody on nowhere answered" in report["sentence"]
    gone = host.ns.run(str(BINARY), "discover", "-i", "eth9", check=False)
    assert gone.returncode == 1 and "there is no interface eth9" in gone.stderr
    missing = host.ns.run(str(BINARY), "discover", check=False)
    assert missing.returncode == 2
    guest = host.ns.run("setpriv", "--reuid=65534", "--clear-groups", str(BINARY), "discover", "-i",
                        "eth0", check=False)
    assert guest.returncode == 1 and "root" in guest.stderr
