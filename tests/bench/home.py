"""All of porchlight in a home of many hosts: keeper, agent, forwarder, with all that belongs to it."""

from __future__ import annotations

import os
import struct

from load import BUILD
from processes import Failed, resident_bytes, role
from systems import SYSTEM_ROOTS

os.environ["PORCHLIGHT"] = str(BUILD / "porchlight")
from lab import Home  # noqa: E402
from lab.isp import ADN  # noqa: E402
from lab.program import eventually  # noqa: E402

_ROUTER = "192.168.77.1"


def memory_bytes(hosts: int, system_roots: bool) -> int:
    """Once every host has joined by DHCP, asked over TLS, and keeps its connection."""
    with Home() as home:
        if system_roots:
            _trust_everybody(home)
        home.router.start_porchlight()
        home.router.until_announced()
        kept = []
        for _ in range(hosts):
            host = home.host()
            host.join()
            connection = host.dot_connection(_ROUTER, ADN)
            connection.sendall(_question())
            if len(connection.recv(4096)) < 12:
                raise Failed("a host of the home gets no answer")
            kept.append(connection)
        eventually("who got the certificate is gone", lambda: not any(
            role(pid) == "provision" for pid in home.router.programs()))
        return resident_bytes(home.router.programs())


def _trust_everybody(home: Home) -> None:
    """The roots that a system has, beside the one of this home's Internet."""
    roots = home.folder / "bundle.pem"
    roots.write_text(SYSTEM_ROOTS.read_text() + home.isp.internet.root.read_text())
    home.router.configure(tls={"roots": str(roots)})


def _question() -> bytes:
    """www.example.org A, framed."""
    name = b"\3www\7example\3org\0"
    message = struct.pack("!6H", 1, 0x100, 1, 0, 0, 0) + name + b"\0\1\0\1"
    return struct.pack("!H", len(message)) + message
