"""What a host has of its router all the while: looked at twenty times a second, and heard whole."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Iterator

from . import decode
from .host import Host
from .program import Program, eventually

_FAR_AWAY = "2001:db8:ffff::1"  # by no route but the default one
_EVERY_S = 0.05
_RDNSS = 25  # RFC 8106 section 5.1


@dataclasses.dataclass
class Watch:
    """Grows while the `with` of `watching` lasts."""
    looks: list[tuple[float, bool]] = dataclasses.field(default_factory=list)  # had a default route
    arrivals: list[tuple[float, decode.RouterAdvertisement]] = dataclasses.field(
        default_factory=list)
    monitor: Program | None = None

    @property
    def heard(self) -> list[decode.RouterAdvertisement]:
        return [advertisement for _, advertisement in self.arrivals]

    @property
    def deleted(self) -> list[str]:
        """Routes, by the kernel's word."""
        assert self.monitor
        return [line for line in self.monitor.said().splitlines() if line.startswith("Deleted")]

    def route_was_lost(self) -> bool:
        """Seen by a look, or between two by the kernel's message."""
        return not all(routed for _, routed in self.looks) or any(
            line.startswith("Deleted default") for line in self.deleted)

    def longest_gap_s(self) -> float:
        """How long nobody looked."""
        times = [at for at, _ in self.looks]
        return max(later - earlier for earlier, later in zip(times, times[1:]))

    def flags(self) -> set[int]:
        """M, O and the router's preference, of every advertisement."""
        return {each.flags for each in self.heard}

    def rdnss_lapsed(self) -> bool:
        """Whether the host, once it had plain resolvers by RA, was without for a moment."""
        expiry = None
        for at, advertisement in self.arrivals:
            lifetimes = [int.from_bytes(option[4:8], "big")
                         for kind, option in advertisement.options if kind == _RDNSS]
            if expiry is not None and (at > expiry or 0 in lifetimes):
                return True
            if lifetimes:
                expiry = at + max(lifetimes)
        assert expiry is not None, "no advertisement told of plain resolvers"
        return time.monotonic() > expiry


@contextlib.contextmanager
def watching(host: Host) -> Iterator[Watch]:
    watch = Watch()
    over = threading.Event()
    with host.ns.entered():
        probe = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)

    def look() -> None:
        while not over.wait(_EVERY_S):
            try:
                probe.connect((_FAR_AWAY, 9))  # sends nothing; fails where the kernel has no route
                routed = True
            except OSError:
                routed = False
            watch.looks.append((time.monotonic(), routed))

    def heard(advertisement: decode.RouterAdvertisement) -> None:
        watch.arrivals.append((time.monotonic(), advertisement))

    monitor = watch.monitor = host.ns.start("routes", "ip", "-6", "-o", "monitor", "route")
    eventually("the kernel's words are listened to", lambda: _listens(monitor.pid))
    looker = threading.Thread(target=look, daemon=True)
    looker.start()
    try:
        with host.each_advertisement(heard):
            yield watch
    finally:
        over.set()
        looker.join()
        probe.close()
        monitor.stop(signal.SIGINT)


def _listens(pid: int) -> bool:
    """Whether a process has joined groups of the kernel's messages on routes."""
    rows = [line.split() for line in Path(f"/proc/{pid}/net/netlink").read_text().splitlines()[1:]]
    return any(row[1] == "0" and row[2] == str(pid) and int(row[3], 16) for row in rows)
