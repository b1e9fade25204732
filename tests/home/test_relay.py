"""What the Internet provider offers reaches the hosts, and only while it is offered."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from lab import Home, decode, encode
from lab.isp import RESOLVER4, RESOLVER6, RESOLVER_ADN
from lab.program import eventually
from lab.router import BINARY
from lab.wan import IspDhcp, Udhcpc, names, offers, relay

OFFERED = encode.dhcpv4(1, RESOLVER_ADN, RESOLVER4)
ISPS = decode.Resolver(1, RESOLVER_ADN, (RESOLVER4,), ("dot",))


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        relay(home)
        yield home


def test_a_host_uses_the_resolver_that_the_isp_offers(home: Home) -> None:
    router = home.router
    IspDhcp(home.isp, OFFERED)
    Udhcpc(router)
    router.start_porchlight()
    status = router.until("the ISP's resolver", lambda status: names(status) == [RESOLVER_ADN])
    assert status["mode"] == "relay"
    assert status["summary"] == (
        f"Hosts on br-lan are told to use the ISP's {RESOLVER_ADN} over TLS (by DHCPv4).")
    assert offers(status)["told_by"] == "udhcpc bound"
    assert 0 < offers(status)["resolvers"][0]["lifetime"] <= 120
    assert offers(status)["plain"] == [RESOLVER4]
    host = home.host()
    host.join()
    eventually("hosts hear that", lambda: host.dhcpv4() == [ISPS])
    assert host.kdig("www.example.org", RESOLVER4, RESOLVER_ADN).trusted
    # Control: the same name elsewhere is not who it says.
    assert not host.kdig("www.example.org", "192.0.2.80", RESOLVER_ADN, port=14000).trusted


def test_a_lease_that_is_lost_takes_its_offer_along_and_the_next_brings_it_back(home: Home) -> None:
    router = home.router
    IspDhcp(home.isp, OFFERED)
    client = Udhcpc(router)
    router.start_porchlight()
    router.until("the ISP's resolver", lambda status: names(status) == [RESOLVER_ADN])
    host = home.host()
    host.join()
    eventually("hosts hear that", lambda: host.dhcpv4() == [ISPS])
    client.send(signal.SIGUSR2)
    status = router.until("nothing", lambda status: not names(status))
    assert status["summary"] == "The ISP offers no encrypted resolver."
    eventually("hosts hear that", lambda: host.dhcpv4() == [])
    client.send(signal.SIGUSR1)
    router.until("it is back", lambda status: names(status) == [RESOLVER_ADN])
    eventually("hosts hear that", lambda: host.dhcpv4() == [ISPS])


def test_one_bad_instance_spoils_the_option_and_is_told(home: Home) -> None:
    router = home.router
    bad = b"\x00\x08\x00\x02\x06\x03dns\x00"  # an ADN that is longer than its instance
    dhcp = IspDhcp(home.isp, OFFERED + bad)
    client = Udhcpc(router)
    router.start_porchlight()
    status = router.until("it is discarded", lambda status: offers(status).get("discarded"))
    assert names(status) == [] and offers(status)["resolvers"] == []
    assert "DHCPv4 option 162" in offers(status)["discarded"][0]
    assert (OFFERED + bad).hex() in offers(status)["discarded"][0]
    assert "discarded: DHCPv4 option 162" in router.command("wan", "show").stdout
    # Control: with a good one in place of the bad, both are told.
    dhcp.offer(OFFERED + encode.dhcpv4(2, "dns2.isp.test", "192.0.2.54"))
    client.send(signal.SIGUSR1)
    router.until("two resolvers", lambda status: names(status) == [RESOLVER_ADN, "dns2.isp.test"])


def test_what_was_noted_outlives_the_daemon_and_the_link_but_not_the_machine(home: Home) -> None:
    router = home.router
    IspDhcp(home.isp, OFFERED)
    client = Udhcpc(router)
    router.start_porchlight()
    router.until("the ISP's resolver", lambda status: names(status) == [RESOLVER_ADN])
    client.stop()
    router.ns.ip("link set eth0 down")
    router.stop_porchlight()
    router.start_porchlight()
    status = router.until("it is told again", lambda status: names(status) == [RESOLVER_ADN])
    assert [link["link"] for link in status["plan"]] == ["br-lan"]
    # Another boot of the machine: what was noted in the former one says nothing.
    router.stop_porchlight()
    record = next((router.runtime / "wan").glob("eth0.dhcpv4.json"))
    note = json.loads(record.read_text())
    record.write_text(json.dumps(note | {"boot": "another"}))
    router.start_porchlight()
    status = router.until("a status", lambda status: status["plan"])
    assert status["offers"] == [] and names(status) == []
    # Control: with this boot's name it counts.
    record.write_text(json.dumps(note))
    router.reload_porchlight()
    router.until("it is told", lambda status: names(status) == [RESOLVER_ADN])


def test_set_tells_of_a_resolver_where_there_is_no_dhcp(home: Home) -> None:
    router = home.router
    router.start_porchlight()
    status = router.until("a status", lambda status: status["plan"])
    assert status["summary"] == "The ISP offers no encrypted resolver."
    said = [{"adn": RESOLVER_ADN, "addresses": [RESOLVER4, RESOLVER6], "alpn": ["dot"]}]
    wrong = router.command("wan", "set", "eth7", json.dumps(said), check=False)
    assert wrong.returncode == 1 and "eth7 is no interface of wan" in wrong.stderr
    wrong = router.command("wan", "set", "eth0", '[{"adn": "dns.isp.test", "port": "853"}]',
                           check=False)
    assert wrong.returncode == 1 and "/0/port: no integer" in wrong.stderr
    assert router.command("wan", "show").stdout == "No WAN offers anything.\n"
    router.command("wan", "set", "eth0", json.dumps(said))
    router.until_announced()
    host = home.host()
    host.join()
    eventually("hosts hear that", lambda: host.dhcpv4() == [ISPS])
    six = decode.Resolver(1, RESOLVER_ADN, (RESOLVER6,), ("dot",))
    assert host.dhcpv6() == [six]
    assert [option.resolver for option in host.ra()] == [six]
    assert "eth0 by user (porchlight wan set)" in router.command("wan", "show").stdout
    router.command("wan", "clear", "eth0")
    router.until("nothing", lambda status: not names(status))
    eventually("hosts hear that", lambda: host.dhcpv4() == host.dhcpv6() == [])


def test_without_a_daemon_what_was_noted_is_read_by_nobody(home: Home) -> None:
    router = home.router
    said = [{"adn": RESOLVER_ADN, "addresses": [RESOLVER4], "alpn": ["dot"]}]
    router.command("wan", "set", "eth0", json.dumps(said))
    full, end = os.pipe()
    fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
    os.write(end, bytes(4096))
    # It has read everything, and waits for room to say so.
    with subprocess.Popen([BINARY, "wan", "show", "-c", router.config_file], stdout=end) as shows:
        os.close(end)
        status = Path(f"/proc/{shows.pid}/status")
        eventually("it is nobody", lambda: "Uid:\t65534\t65534\t65534" in status.read_text()
                   and "CapEff:\t0000000000000000" in status.read_text())
        with open(full, "rb") as reader:
            assert f"{RESOLVER_ADN}. at {RESOLVER4}" in reader.read().decode()
    assert shows.returncode == 0


def test_a_power_cut_keeps_what_a_group_was_told_and_not_what_the_wan_offered(home: Home) -> None:
    router = home.router
    family = {"adn": "family.example.org", "addresses": ["198.51.100.7"], "dot": {}}
    relay(home, announce={"groups": [{"tag": "kids", "resolvers": [family]}]})
    router.start_porchlight()
    router.until("a status", lambda status: status["plan"])
    said = [{"adn": RESOLVER_ADN, "addresses": [RESOLVER4], "alpn": ["dot"]}]
    router.command("wan", "set", "eth0", json.dumps(said))
    router.until("the ISP's resolver", lambda status: names(status) == [RESOLVER_ADN])
    options, kept = router.runtime / "dnsmasq" / "options", router.state / "dhcp-options"
    group, link = "tag:kids,tag:br-lan,162,", "tag:br-lan,"
    eventually("both are told", lambda: group in (told := options.read_text())
               and f"\n{link}" in told)
    eventually("one is kept", lambda: group in kept.read_text())
    assert f"\n{link}" not in kept.read_text()
    router.cut_power()
    router.start_dnsmasq()
    router.start_porchlight()
    eventually("the group is told again", lambda: options.exists()
               and group in options.read_text())
    assert f"\n{link}" not in options.read_text()
