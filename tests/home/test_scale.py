"""The most that a configuration takes: 64 links, 32 resolvers on each."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import select
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest

from lab import Home, decode, ra
from lab.host import Host
from lab.program import eventually
from lab.router import Router

LINKS, RESOLVERS = 64, 32
WATCHED = (1, LINKS // 2, LINKS)  # where a host sits
WATCH_S = 60
LEAST_MTU = 1280  # IPv6's: no Router Advertisement is ever larger (RFC 6980)
ALL = {f"resolver{number}.dns.example.org" for number in range(1, RESOLVERS + 1)}

_ETH_P_IPV6 = 0x86DD
_SO_RCVBUFFORCE, _SO_TIMESTAMPNS = 33, 35  # of Linux; Python names neither


@dataclasses.dataclass(frozen=True)
class Heard:
    """A Router Advertisement as the switch behind a link heard it."""
    link: int
    at: float
    octets: int  # the whole IPv6 packet
    multicast: bool
    said: decode.RouterAdvertisement

    def adns(self, ended: bool) -> set[str]:
        return {option.resolver.adn for option in self.said.encrypted_dns()
                if (option.lifetime_s == 0) == ended}


def build_links(home: Home) -> None:
    router = home.router
    ra.without_ra(router)
    lines, conf = [], ""
    for n in range(1, LINKS + 1):
        lines += [f"link add br-{n} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                  f"link add port-{n} type veth peer name switch-{n}",
                  f"link set port-{n} master br-{n}", f"link set port-{n} up",
                  f"link set switch-{n} up", f"link set br-{n} up",
                  f"addr add 10.77.{n}.1/24 dev br-{n}",
                  f"addr add fd77:77:{n:x}::1/64 dev br-{n} nodad"]
        conf += (f"interface=br-{n}\ndhcp-range=10.77.{n}.100,10.77.{n}.199,1h\n"
                 f"dhcp-range=fd77:77:{n:x}::100,fd77:77:{n:x}::1ff,64,1h\n")
    router.ns.ip(*lines)
    with (router.folder / "dnsmasq.conf").open("a") as file:
        file.write(conf)
    router.restart_dnsmasq()


def host_on(home: Home, link: int) -> Host:
    host = home.host()
    home.router.ns.ip(f"link set lan{len(home.hosts)} master br-{link}")
    return host


@contextlib.contextmanager
def listening_to_all(router: Router) -> Iterator[list[Heard]]:
    """Every advertisement on every link while the `with` lasts; the list grows meanwhile."""
    with router.ns.entered():
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IPV6))
    ear.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
    ear.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    heard: list[Heard] = []
    over = threading.Event()

    def listen() -> None:
        while True:
            ends = over.is_set()  # what has come by then is read
            if not select.select([ear], [], [], 0 if ends else 0.2)[0]:
                if ends:
                    return
                continue
            packet, ancillary, _, place = ear.recvmsg(65536, 256)
            interface, number = place[0].split("-")[0], place[0].split("-")[-1]
            if interface != "switch" or packet[6] != socket.IPPROTO_ICMPV6 or packet[40] != 134:
                continue
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            source = socket.inet_ntop(socket.AF_INET6, packet[8:24])
            heard.append(Heard(
                int(number), seconds + nanoseconds / 1e9, len(packet), packet[24] == 0xFF,
                decode.router_advertisement(packet[40:], source, packet[7])))

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield heard
    finally:
        over.set()
        listener.join()
        ear.close()


@dataclasses.dataclass
class Cost:
    """What one process of porchlight takes."""
    name: str
    resident_kib: int
    own_kib: int  # shared pages counted in parts
    descriptors: int
    processor_s: float


def costs(router: Router) -> dict[int, Cost]:
    found = {}
    for pid in router.programs():
        proc = Path(f"/proc/{pid}")
        memory = dict(line.split(":", 1) for line in (proc / "smaps_rollup").read_text()
                      .splitlines()[1:])
        fields = (proc / "stat").read_text().rsplit(")", 1)[1].split()
        found[pid] = Cost((proc / "comm").read_text().strip(),
                          int(memory["Rss"].split()[0]), int(memory["Pss"].split()[0]),
                          len(os.listdir(proc / "fd")),
                          (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    return found


@pytest.mark.slow
def test_64_links_with_32_resolvers_each() -> None:
    with Home() as home:
        router = home.router
        build_links(home)
        config = router.config(
            mode="static", lan=[{"interface": f"br-{n}"} for n in range(1, LINKS + 1)],
            announce={"ra": "full", "ra_interval": "30s", "resolvers": [
                {"adn": f"resolver{n}.dns.example.org", "dot": {},
                 "addresses": [f"198.51.100.{n}", f"2001:db8::{n:x}"]}
                for n in range(1, RESOLVERS + 1)]})
        for key in ("resolver", "certificate"):
            del config[key]
        router.configure(config)
        hosts = {link: host_on(home, link) for link in WATCHED}
        with contextlib.ExitStack() as ears:
            by_host = {link: ears.enter_context(host.watching()) for link, host in hosts.items()}
            everywhere = ears.enter_context(listening_to_all(router))
            began = time.monotonic()
            router.start_porchlight()
            status = router.until_announced(within_s=120)
            print(f"announced after {time.monotonic() - began:.1f} s")
            assert_status_lists_everything(status)
            for link in WATCHED:
                eventually(f"the host on br-{link} knows all resolvers", lambda: ALL == {
                    option.resolver.adn for each in by_host[link]
                    for option in each.encrypted_dns() if option.lifetime_s}, within_s=60)
            assert_dhcp_tells_what_has_room(status, hosts)
            watch_costs(router)
            assert_within_limits(everywhere)
            # The control for what follows: until now nobody was told that anything ended.
            assert not any(each.adns(ended=True) or each.said.router_lifetime_s == 0
                           for each in everywhere)
            last = len(everywhere)
            began = time.monotonic()
            assert router.stop_porchlight() == 0
            took = time.monotonic() - began
            time.sleep(0.5)
        print(f"stopped in {took:.1f} s")
        assert took < 10
        assert_taken_back(everywhere[last:])
        for link in WATCHED:
            ended = [option for each in by_host[link] for option in each.encrypted_dns()
                     if option.lifetime_s == 0]
            assert {option.resolver.adn for option in ended} == ALL
            assert len(ended) >= 3 * RESOLVERS, "each three times"


def assert_status_lists_everything(status: dict) -> None:
    assert [part["link"] for part in status["plan"]] == [f"br-{n}" for n in range(1, LINKS + 1)]
    assert all(len(part["resolvers"]) == RESOLVERS for part in status["plan"])
    rows = {(row["link"], row["carrier"]): row for row in status["announced"]["carriers"]}
    assert len(rows) == 3 * LINKS and all(row["announced"] for row in rows.values())
    for n in range(1, LINKS + 1):
        left_out = {carrier: rows[f"br-{n}", carrier].get("left_out", [])
                    for carrier in ("dhcpv4", "dhcpv6", "ra")}
        # dnsmasq has room for 192 octets of DHCPv4 options, and for one DHCPv6 option of a kind.
        assert "resolver32.dns.example.org.: its 46 octets do not fit" in left_out["dhcpv4"][-1]
        assert len(left_out["dhcpv6"]) == RESOLVERS - 1 and left_out["ra"] == []


def assert_dhcp_tells_what_has_room(status: dict, hosts: dict[int, Host]) -> None:
    for link, host in hosts.items():
        rows = {row["carrier"]: row for row in status["announced"]["carriers"]
                if row["link"] == f"br-{link}"}
        for version, carrier, told in ((4, "dhcpv4", host.dhcpv4()), (6, "dhcpv6", host.dhcpv6())):
            plan = decode.planned(status, f"br-{link}", version)
            assert told == plan[:RESOLVERS - len(rows[carrier]["left_out"])]


def watch_costs(router: Router) -> None:
    before = costs(router)
    time.sleep(WATCH_S)
    after = costs(router)
    assert set(after) == set(before), "nobody died"
    for pid, cost in after.items():
        spent = cost.processor_s - before[pid].processor_s
        print(f"{cost.name}: {cost.resident_kib / 1024:.1f} MiB resident "
              f"({cost.own_kib / 1024:.1f} by its share), {cost.descriptors} descriptors, "
              f"{spent:.2f} s of processor time in {WATCH_S} s")
        assert cost.descriptors == before[pid].descriptors, "none leaks"
        assert spent < 0.1 * WATCH_S


def assert_within_limits(everywhere: list[Heard]) -> None:
    assert {each.link for each in everywhere} == set(range(1, LINKS + 1))
    assert max(each.octets for each in everywhere) <= LEAST_MTU
    for link in range(1, LINKS + 1):
        multicasts = [each.at for each in everywhere if each.link == link and each.multicast]
        gaps = [later - earlier for earlier, later in zip(multicasts, multicasts[1:])]
        # The sender's clock is read once for all links of a turn: some leave a little after it, and
        # on a busy machine more than that.
        assert gaps and min(gaps) > 2, f"br-{link}: {min(gaps)} s (RFC 4861 section 6.2.6)"


def assert_taken_back(final: list[Heard]) -> None:
    for link in range(1, LINKS + 1):
        heard = [each for each in final if each.link == link]
        assert set().union(*(each.adns(ended=True) for each in heard)) == ALL, f"br-{link}"
        assert heard[-1].said.router_lifetime_s == 0
        # One that was under way when it was told to stop may come before the first farewell.
        first = next(i for i, each in enumerate(heard) if each.adns(ended=True))
        assert not any(each.adns(ended=False) for each in heard[first:])
