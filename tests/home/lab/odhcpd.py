"""Stands in for OpenWrt's odhcpd as far as its configuration goes; Debian has none.

It is a process of that name which reads `list dnr` at its start and at SIGHUP, and writes down what
it has read. It sends nothing: what the real one makes of a value is proved nowhere here.
"""

from __future__ import annotations

import ipaddress
import json
import shlex
import signal
import socket
import struct
import sys
from pathlib import Path

from .namespace import Namespace
from .program import Program, eventually
from .uci import FULL, parse

KEYS = {"mandatory": 0, "alpn": 1, "no-default-alpn": 2, "port": 3, "dohpath": 7, "ohttp": 8}


class Odhcpd:
    """OpenWrt's half of a router: /etc/config/dhcp, `uci`, and odhcpd."""

    def __init__(self, ns: Namespace, config: str) -> None:
        self.ns = ns
        folder = ns.folder / "config"
        folder.mkdir()
        self.file = folder / "dhcp"
        self.file.write_text(config)
        self.uci = ns.folder / "uci"
        self.uci.write_text(f"#!/bin/sh\nexec /usr/bin/python3 {Path(__file__).with_name('uci.py')} "
                            f'-c {folder} "$@"\n')
        self.uci.chmod(0o755)
        self._read = ns.folder / "odhcpd.read"
        self.program: Program | None = None

    def start(self) -> None:
        lab = Path(__file__).resolve().parents[1]
        self._read.unlink(missing_ok=True)
        self.program = self.ns.start("odhcpd", sys.executable, "-m", "lab.odhcpd", str(self.file),
                                     str(self._read), env={"PYTHONPATH": str(lab)})
        eventually("odhcpd reads its configuration", self._read.exists)

    def stop(self) -> None:
        assert self.program
        self.program.stop()

    def dnr(self, section: str = "lan") -> list[str]:
        """The list as odhcpd last read it."""
        return json.loads(self._read.read_text())["lists"].get(section, [])

    def times_read(self) -> int:
        return json.loads(self._read.read_text())["times"]

    def fill_flash(self) -> None:
        (self.file.parent / FULL).touch()

    def empty_flash(self) -> None:
        (self.file.parent / FULL).unlink()

    def change(self, *command: str) -> None:
        """`uci` as the user calls it."""
        self.ns.run(str(self.uci), *command)

    def in_uci(self, section: str = "lan") -> list[str]:
        return shlex.split(self.ns.run(str(self.uci), "-q", "get", f"dhcp.{section}.dnr",
                                       check=False).stdout)


def dhcpv6_option(value: str) -> bytes:
    """The option that a value of `list dnr` stands for, by odhcpd's syntax and RFC 9463."""
    priority, adn, *rest = value.split()
    name = b"".join(bytes([len(label)]) + label.encode() for label in adn.split(".")) + b"\0"
    option = struct.pack("!HH", int(priority), len(name)) + name
    if not rest:
        return option
    addresses = b"".join(socket.inet_pton(socket.AF_INET6, str(ipaddress.IPv6Address(each)))
                         for each in rest[0].split(","))
    params = {}
    for word in rest[1:]:
        key, *values = word.split("=")
        if key == "alpn":
            params[KEYS[key]] = b"".join(bytes([len(each)]) + each.encode()
                                         for each in values[0].split(","))
        elif key == "port":
            params[KEYS[key]] = struct.pack("!H", int(values[0]))
        elif key != "_lifetime":
            params[KEYS[key]] = values[0].encode() if values else b""
    option += struct.pack("!H", len(addresses)) + addresses
    return option + b"".join(struct.pack("!HH", key, len(params[key])) + params[key]
                             for key in sorted(params))


def main() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    # Who knows it by its name may signal it from now on.
    Path("/proc/self/comm").write_text("odhcpd")
    config, read = Path(sys.argv[1]), Path(sys.argv[2])
    times = 0
    while True:
        times += 1
        lists = {name: section["dnr"] for name, section in parse(config.read_text()).items()
                 if "dnr" in section}
        whole = read.with_suffix(".new")
        whole.write_text(json.dumps({"times": times, "lists": lists}))
        whole.rename(read)
        signal.sigwait([signal.SIGHUP])


if __name__ == "__main__":
    main()
