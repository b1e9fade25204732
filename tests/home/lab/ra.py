"""Router Advertisements: another daemon beside porchlight, and what a host's kernel makes of them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any, Iterator

from . import decode, odhcpd_ra
from .home import Home
from .host import Host
from .isp import RESOLVER6, RESOLVER_ADN
from .program import Program, eventually
from .router import LAN6, Router

ALL_ROUTERS = "ff02::2"
RESOLVER = decode.Resolver(1, RESOLVER_ADN, (RESOLVER6,), ("dot",))


# porchlight.

def announce(router: Router, form: str, **changes: Any) -> None:
    """Hosts are told of the ISP's resolver by Router Advertisement, every four seconds at most."""
    config = router.config(announce={
        "ra": form, "ra_interval": "4s", "dhcpv4": "off", "dhcpv6": "off",
        "resolvers": [{"adn": RESOLVER_ADN, "addresses": [RESOLVER6], "dot": {}}]
    } | changes.pop("announce", {}), **changes)
    for key in ("resolver", "certificate"):
        del config[key]
    router.configure(config)


def until_announced(router: Router) -> None:
    router.until("hosts are told by RA", lambda status: status["announced"]["ra"])


def withdrawals(heard: list[decode.RouterAdvertisement]) -> list[decode.NdOption]:
    return [option for each in heard for option in each.encrypted_dns() if option.lifetime_s == 0]


def resolvers(heard: list[decode.RouterAdvertisement]) -> list[decode.Resolver]:
    return [option.resolver for each in heard for option in each.encrypted_dns()
            if option.lifetime_s]


# RA daemons beside it.


class Radvd:
    """Debian's radvd as the RA daemon of a link; dnsmasq keeps DHCP and plain DNS."""

    def __init__(self, router: Router, interface: str = "br-lan", lifetime_s: int = 12) -> None:
        self._router = router
        self._config = router.folder / "radvd.conf"
        self._config.write_text(f"""interface {interface} {{
    AdvSendAdvert on;
    MinRtrAdvInterval 3;
    MaxRtrAdvInterval 4;
    AdvDefaultLifetime {lifetime_s};
    AdvOtherConfigFlag on;
    AdvDefaultPreference high;
    prefix fd77:77:77::/64 {{ AdvValidLifetime 3600; AdvPreferredLifetime 1800; }};
    RDNSS {LAN6} {{ AdvRDNSSLifetime 600; }};
    DNSSL lan {{ AdvDNSSLLifetime 600; }};
}};
""")
        self._program: Program | None = None

    def start(self) -> None:
        self._program = self._router.ns.start(
            "radvd", "radvd", "-n", "-C", str(self._config), "-p",
            str(self._router.folder / "radvd.pid"), "-m", "stderr")

    def stop(self) -> None:
        assert self._program
        self._program.stop()

    def kill(self) -> None:
        """radvd is two processes; both die at once, and neither says a word."""
        for pid in pids(self._router, "radvd"):
            kill(pid)
        assert self._program
        self._program.wait()


class DnsmasqRa:
    """The home's dnsmasq as RA daemon, in the same words as Radvd."""

    def __init__(self, router: Router, lifetime_s: int = 12) -> None:
        self._router = router
        _edit(router, "ra-param=br-lan,10,1800", f"ra-param=br-lan,high,4,{lifetime_s}")

    def start(self) -> None:
        self._router.restart_dnsmasq()

    def stop(self) -> None:
        self._router.stop_dnsmasq()

    def kill(self) -> None:
        pid = self._router.dnsmasq_pid()
        assert pid
        kill(pid)
        eventually("dnsmasq is dead", lambda: self._router.dnsmasq_pid() is None)


class OdhcpdStandIn:
    """A daemon that can send the encrypted resolver itself; see lab/odhcpd_ra.py."""

    def __init__(self, router: Router, adn: str, address: str) -> None:
        self._router, self._resolver = router, (adn, address)
        self._program: Program | None = None

    def start(self) -> None:
        self._program = self._router.ns.start(
            "odhcpd-ra", sys.executable, "-u", "-m", "lab.odhcpd_ra", "br-lan", *self._resolver,
            env={"PYTHONPATH": str(Path(__file__).resolve().parents[1])})
        eventually("it speaks", lambda: "it speaks" in self._program.said())

    def tell(self) -> None:
        assert self._program
        self._program.send(signal.SIGUSR1)

    def take_back(self) -> None:
        assert self._program
        self._program.send(signal.SIGUSR2)

    def stop(self) -> None:
        assert self._program
        self._program.stop()


def with_ra(router: Router, lifetime_s: int) -> None:
    """dnsmasq begins to send Router Advertisements, as after a careless edit."""
    config = router.folder / "dnsmasq.conf"
    with config.open("a") as lines:
        lines.write(f"enable-ra\nra-param=br-lan,high,4,{lifetime_s}\n")
    router.restart_dnsmasq()


def without_ra(router: Router) -> None:
    """dnsmasq goes on without Router Advertisements."""
    _edit(router, "enable-ra\nra-param=br-lan,10,1800\n", "")
    _edit(router, ",slaac,64", ",64")
    router.restart_dnsmasq()


def _edit(router: Router, old: str, new: str) -> None:
    config = router.folder / "dnsmasq.conf"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def pids(router: Router, name: str) -> list[int]:
    found = []
    for pid in router.ns.pids():
        with contextlib.suppress(OSError):  # it may have ended since
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                found.append(pid)
    return found


# What the kernel of a host knows.

def default_route(host: Host) -> dict[str, Any] | None:
    """The host's IPv6 default route by RA, `expires` in seconds. The kernel shows one that has
    expired until it collects its garbage; it no longer uses it."""
    for _ in range(20):
        listed = json.loads(
            host.ns.run("ip", "-6", "-j", "route", "show", "default").stdout or "[]")
        routes = [route for route in listed if route.get("protocol") == "ra"]
        # The kernel adds a route before it sets its end: then they are looked at again.
        if all("expires" in route for route in routes):
            return next((route for route in routes if route["expires"] > 0), None)
    raise AssertionError(f"a route by RA without an end: {routes}")


def addresses(host: Host) -> dict[str, dict[str, Any]]:
    """The host's global addresses by prefix: what `ip -j addr` says of each."""
    listed = json.loads(host.ns.run("ip", "-6", "-j", "addr", "show", "dev", "eth0").stdout)
    found = {}
    for each in listed[0]["addr_info"]:
        if each.get("scope") == "global":
            network = ":".join(each["local"].split(":")[:3])
            found[network] = each
    return found


@dataclasses.dataclass
class Sample:
    at: float
    route: dict[str, Any] | None


@contextlib.contextmanager
def watching_route(host: Host) -> Iterator[list[Sample]]:
    """The host's default route, looked at ten times a second."""
    samples: list[Sample] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            samples.append(Sample(time.monotonic(), default_route(host)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield samples
    finally:
        over.set()
        watcher.join()


def rdisc6(host: Host) -> dict[str, list[str]]:
    """What rdisc6 prints of the answers to its solicitation: label to values."""

    def asked() -> dict[str, list[str]]:
        said = host.ns.run("rdisc6", "-m", "-w", "1500", "eth0", check=False).stdout
        found: dict[str, list[str]] = {}
        for line in said.splitlines():
            if match := re.match(r"\s*(\S.*?)\s*:\s+(.*)$", line):
                found.setdefault(match[1], []).append(match[2].strip())
        return found if "Router lifetime" in found else {}

    return eventually("rdisc6 is answered", asked)


def is_supplement(advertisement: decode.RouterAdvertisement) -> bool:
    """porchlight's beside a daemon: encrypted resolvers and nothing else."""
    return bool(advertisement.options) and all(kind == 144 for kind, _ in advertisement.options)


def advertise_as(host: Host, resolver: str) -> str:
    """One advertisement with a plain resolver, as a stranger's router sends it; returns who sent."""
    body = struct.pack("!HI", 0, 600) + socket.inet_pton(socket.AF_INET6, resolver)
    with host.ns.entered():
        index = socket.if_nametoindex("eth0")
        stranger = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    with stranger:
        stranger.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        stranger.sendto(odhcpd_ra.advertisement(0, odhcpd_ra.option(25, body)),
                        (odhcpd_ra.ALL_NODES, 0, 0, index))
    listed = json.loads(host.ns.run("ip", "-6", "-j", "addr", "show", "dev", "eth0").stdout)
    return next(each["local"] for each in listed[0]["addr_info"] if each["scope"] == "link")


def solicit_as(host: Host, count: int) -> None:
    """Solicitations of `count` hosts at once, each from a link-local address of its own."""
    host.ns.ip(*(f"addr add {_asker(number)}/64 dev eth0 nodad" for number in range(count)))
    with host.ns.entered():
        index = socket.if_nametoindex("eth0")
        asker = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    with asker:
        asker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        for number in range(count):
            source = socket.inet_pton(socket.AF_INET6, _asker(number))
            where = [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, source + struct.pack("I", index))]
            eventually("a solicitation leaves", lambda: _sent(
                asker, b"\x85\0\0\0\0\0\0\0", where, (ALL_ROUTERS, 0, 0, index)), every_s=0.01)


def _sent(by: socket.socket, message: bytes, ancillary: list[Any], to: tuple[Any, ...]) -> bool:
    """A machine has one table of neighbours, of 1024 entries, for all its namespaces; while other
    homes have filled it, sending is EINVAL."""
    with contextlib.suppress(OSError):
        return by.sendmsg([message], ancillary, 0, to) > 0
    return False


def know_askers(router: Router, host: Host, count: int) -> None:
    """The router needs not ask where those of solicit_as live: permanent neighbours don't count
    in the machine's table."""
    router.ns.ip(*(f"neigh replace {_asker(number)} lladdr {host.mac()} dev br-lan nud permanent"
                   for number in range(count)))


def _asker(number: int) -> str:
    return f"fe80::abcd:{number:x}"


def second_lan(home: Home) -> None:
    """A guest network behind the same router."""
    home.router.ns.ip(
        "link add br-guest type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        "link add guest0 type veth peer name guest0-switch",
        "link set guest0 master br-guest", "link set guest0 up", "link set guest0-switch up",
        "link set br-guest up", "addr add fd77:77:78::1/64 dev br-guest nodad")


def guest(home: Home) -> Host:
    host = home.host("guest")
    number = len(home.hosts)
    home.router.ns.ip(f"link set lan{number} master br-guest")
    return host
