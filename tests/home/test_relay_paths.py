"""Several clients, servers, WANs and routers between the provider's resolver and the hosts."""

from __future__ import annotations

import json
import signal
from typing import Iterator

import pytest

from lab import Home, decode, encode
from lab.host import Host
from lab.isp import ADN, AUTHORITY4, RESOLVER4, RESOLVER6, RESOLVER_ADN
from lab.kea import Kea, Kea6
from lab.program import eventually
from lab.router import BINARY, LAN4
from lab.wan import IspDhcp, Udhcpc, dhclient, dhcpcd, hook, names, offers, relay

OFFERED = encode.dhcpv4(1, RESOLVER_ADN, RESOLVER4)


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        relay(home)
        yield home


def test_dhclient_over_dhcpv6_brings_what_hosts_hear_by_dhcpv6_and_ra(home: Home) -> None:
    router = home.router
    IspDhcp(home.isp, b"", option_144=encode.dhcpv6(1, RESOLVER_ADN, RESOLVER6))
    dhclient(router, "-6", "-S")
    router.start_porchlight()
    status = router.until("the ISP's resolver", lambda status: names(status) == [RESOLVER_ADN]
                          and status["announced"]["ra"])
    assert offers(status, source="dhcpv6")["told_by"] == "dhclient RENEW6"
    host = home.host()
    host.join()
    told = decode.Resolver(1, RESOLVER_ADN, (RESOLVER6,), ("dot",))
    assert host.dhcpv6() == [told]
    assert [option.resolver for option in host.ra()] == [told]
    assert host.dhcpv4() == []  # DHCPv4 has no words for IPv6 addresses
    assert host.kdig("www.example.org", RESOLVER6, RESOLVER_ADN).trusted


def test_kea_cuts_a_long_option_and_dhcpcd_brings_all_of_it(home: Home) -> None:
    router = home.router
    adns = [f"resolver-{number}-of-the-isp-whose-name-is-long.isp.test" for number in range(1, 5)]
    option = b"".join(encode.dhcpv4(i, adn, RESOLVER4) for i, adn in enumerate(adns, 1))
    assert len(option) > 255
    Kea.of_the_isp(home.isp.ns, AUTHORITY4, RESOLVER4, option)
    dhcpcd(router, "-4")
    router.start_porchlight()
    status = router.until("four resolvers", lambda status: names(status) == adns)
    assert offers(status)["told_by"] == "dhcpcd BOUND"
    assert 3500 < offers(status)["resolvers"][0]["lifetime"] <= 3600


def test_kea_leases_an_address_with_the_option_and_it_lasts_as_long_as_that(home: Home) -> None:
    router = home.router
    Kea6(home.isp.ns, "2001:db8:0:1::", [encode.dhcpv6(1, RESOLVER_ADN, RESOLVER6)])
    client = dhclient(router, "-6")
    router.start_porchlight()
    status = router.until("the ISP's resolver", lambda status: names(status) == [RESOLVER_ADN])
    told = offers(status, source="dhcpv6")
    assert told["told_by"] == "dhclient BOUND6"
    assert 3500 < told["resolvers"][0]["lifetime"] <= 3600
    # The client calls for each address: one that ends leaves the other's offer alone.
    record = router.runtime / "wan" / "eth0.dhcpv6.json"
    lease, = json.loads(record.read_text())["leases"]
    call = [BINARY, "wan", "dhclient", "-c", str(router.config_file)]
    expired = {"interface": "eth0", "reason": "EXPIRE6", "old_ip6_address": "2001:db8:0:1::1"}
    router.ns.run(*map(str, call), env=expired)
    assert json.loads(record.read_text())["lifetime"] == 3600
    # Control: its own end does not.
    router.ns.run(*map(str, call), env=expired | {"old_ip6_address": lease["name"]})
    assert json.loads(record.read_text())["lifetime"] < 100
    client.stop()


def test_two_wans_are_told_in_the_order_of_the_configuration_whichever_is_up(home: Home) -> None:
    router = home.router
    home.isp.ns.ip(f"link add wan1 type veth peer name eth1 netns {router.ns.name}",
                   "link set wan1 up", "addr add 203.0.113.1/24 dev wan1")
    router.ns.ip("link set eth1 up", "addr add 203.0.113.2/24 dev eth1")
    relay(home, wan=[{"interface": "eth1"}, {"interface": "eth0"}])
    IspDhcp(home.isp, OFFERED)
    other = IspDhcp(home.isp, encode.dhcpv4(1, "dns.other.test", "203.0.113.53"), "wan1", "203.0.113")
    Udhcpc(router)
    router.start_porchlight()
    router.until("the first", lambda status: names(status) == [RESOLVER_ADN])
    client = Udhcpc(router, "eth1")
    both = ["dns.other.test", RESOLVER_ADN]
    status = router.until("both", lambda status: names(status) == both)
    assert [one["priority"] for one in status["plan"][0]["resolvers"]] == [1, 2]
    router.ns.ip("link set eth1 down")
    client.stop()
    router.ns.ip("link set eth0 down")
    host = home.host()
    host.join()
    assert [resolver.adn for resolver in host.dhcpv4()] == both
    # Control: a client that gives its lease up on a link that is there takes the offer along.
    router.ns.ip("link set eth1 up")
    client = Udhcpc(router, "eth1")
    client.until_leased()
    router.until("a fresh lease", lambda status: 100 < min(
        one["lifetime"] for one in offers(status, "eth1")["resolvers"]))
    other.stop()
    client.send(signal.SIGUSR2)
    router.until("the other's alone", lambda status: names(status) == [RESOLVER_ADN])


def test_a_router_behind_a_porchlight_relays_what_that_one_announces() -> None:
    with Home() as home:
        home.router.start_porchlight()
        home.router.until_announced()
        inner = Inner(home)
        host = inner.host()
        eventually("the outer router is told", lambda: [
            resolver.adn for resolver in host.dhcpv4()] == [ADN], within_s=60, every_s=0.5)
        told, = host.dhcpv4()
        assert told == decode.Resolver(1, ADN, (LAN4,), ("dot",))
        assert host.kdig("www.example.org", LAN4, ADN).trusted


class Inner:
    """A second router in the home: a WAN by DHCP from the first, a link of its own, mode auto."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.ns = home.host("inner").ns
        self.folder = self.ns.folder
        self.ns.set("net/ipv4/conf/all/forwarding", 1)
        self.ns.ip("addr add 192.168.77.9/24 dev eth0",
                   "link add br-in type bridge stp_state 0 forward_delay 0", "link set br-in up",
                   "addr add 192.168.99.1/24 dev br-in")
        home.router.ns.ip("route add 192.168.99.0/24 via 192.168.77.9")
        self.config_file = self.folder / "porchlight.json"
        fragments = self.folder / "dnsmasq.d"
        fragments.mkdir()
        (self.folder / "dnsmasq.conf").write_text(
            f"conf-dir={fragments}/,*.conf\npid-file={self.folder}/dnsmasq.pid\nport=0\n"
            f"dhcp-leasefile={self.folder}/leases\ninterface=br-in\nbind-interfaces\nno-ping\n"
            "dhcp-authoritative\ndhcp-range=192.168.99.100,192.168.99.199,1h\n")
        restart = self.folder / "restart"
        restart.write_text(f"#!/bin/sh\nif pid=$(cat {self.folder}/dnsmasq.pid 2>/dev/null); then\n"
                           'kill "$pid"\nwhile kill -0 "$pid" 2>/dev/null; do sleep 0.05; done\nfi\n'
                           f"exec dnsmasq -C {self.folder}/dnsmasq.conf\n")
        restart.chmod(0o755)
        self.config_file.write_text(json.dumps({
            "lan": [{"interface": "br-in"}], "wan": [{"interface": "eth0"}],
            "dnsmasq": {"fragment": str(fragments / "porchlight.conf"),
                        "pid_file": f"{self.folder}/dnsmasq.pid", "restart": [str(restart)]},
            "users": home.router.config()["users"],
            "state_directory": f"{self.folder}/state",
            "runtime_directory": f"{self.folder}/run"}))
        self.ns.run(str(restart))
        self.ns.start("porchlight", str(BINARY), "run", "-c", str(self.config_file))
        self.ns.start("udhcpc", "udhcpc", "-i", "eth0", "-f", "-t", "5", "-T", "1", "-A", "1",
                      "-O", "162", "-s", str(hook(self, "udhcpc.user")))

    def host(self) -> Host:
        home = self._home
        host = Host(home._namespace("behind"), home.trust)
        self.ns.ip(f"link add in1 type veth peer name eth0 netns {host.ns.name}",
                   "link set in1 master br-in", "link set in1 up")
        host.connect()
        return host
