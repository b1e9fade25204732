"""The ISP's routers on the WAN link: radvd, and one that also sends what radvd can't, option 144."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from typing import Iterator

from .isp import AUTHORITY6, RESOLVER6, RESOLVER_ADN, Isp
from .odhcpd_ra import ALL_NODES, advertisement, dnr, option
from .program import Program

FOR_EVER = 0xFFFFFFFF


def radvd(isp: Isp) -> Program:
    """Debian's radvd on the WAN: a route and a plain resolver, of its own accord each ten minutes."""
    folder = isp.ns.folder
    isp.ns.set("net/ipv6/conf/all/forwarding", 1)  # without it radvd thinks it is no router
    (folder / "radvd.conf").write_text(f"""interface wan0 {{
    AdvSendAdvert on;
    MinRtrAdvInterval 400;
    MaxRtrAdvInterval 600;
    AdvDefaultLifetime 1800;
    RDNSS {RESOLVER6} {{ AdvRDNSSLifetime 1234; }};
}};
""")
    return isp.ns.start("radvd", "radvd", "-n", "-C", str(folder / "radvd.conf"), "-p",
                        str(folder / "radvd.pid"), "-m", "stderr")


def resolver(lifetime_s: int, adn: str = RESOLVER_ADN, address: str = RESOLVER6) -> bytes:
    """Option 144 of the ISP's resolver."""
    return dnr(adn, address, lifetime_s)


def badly_padded(lifetime_s: int) -> bytes:
    """The same with a last octet that is not zero."""
    good = resolver(lifetime_s)
    assert good[-1] == 0
    return good[:-1] + b"\1"


def nobody_knows(octets: int) -> bytes:
    """An option that means nothing to anybody."""
    return option(250, bytes(octets - 2))


def in_provisioning_domain(inside: bytes) -> bytes:
    """RFC 8801 section 3.1, of pvd.isp.test."""
    head = struct.pack("!HH", 0, 0) + b"\3pvd\3isp\4test\0"
    return option(21, head + bytes(-(2 + len(head)) % 8) + inside)


class WanRouter:
    """A router of the ISP's that says what a test wants it to. `address` is one of wan0's."""

    def __init__(self, isp: Isp, address: str | None = None) -> None:
        with isp.ns.entered():
            self._index = socket.if_nametoindex("wan0")
            self._wire = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        types = [0xFFFFFFFF] * 8
        types[133 // 32] &= ~(1 << 133 % 32)
        self._wire.setsockopt(socket.IPPROTO_ICMPV6, 1, struct.pack("8I", *types))
        self._wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self._index)
        self._wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                              socket.inet_pton(socket.AF_INET6, "ff02::2")
                              + struct.pack("I", self._index))
        self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"wan0")
        if address:
            self._wire.bind((address, 0, 0, self._index))

    def say(self, *options: bytes, router_lifetime_s: int = 1800, hops: int = 255) -> None:
        self._wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hops)
        self._wire.sendto(advertisement(router_lifetime_s, *options), (ALL_NODES, 0, 0, self._index))

    def solicited(self, within_s: float, enough: int = 100) -> int:
        """How many solicitations come meanwhile; no longer than until there are enough."""
        count, end = 0, time.monotonic() + within_s
        while count < enough and select.select([self._wire], [], [],
                                               max(0, end - time.monotonic()))[0]:
            self._wire.recv(1500)
            count += 1
        return count

    def close(self) -> None:
        self._wire.close()


@contextlib.contextmanager
def wan_router(isp: Isp, address: str | None = None) -> Iterator[WanRouter]:
    router = WanRouter(isp, address)
    try:
        yield router
    finally:
        router.close()


GLOBAL_ADDRESS = AUTHORITY6  # no router advertises from it
