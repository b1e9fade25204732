"""What passed a wire: written by tcpdump, read by tshark, and searched octet by octet."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
from pathlib import Path

from .namespace import Namespace
from .program import eventually


@dataclasses.dataclass(frozen=True)
class ClearName:
    """A name that whoever listens on the wire could read."""
    name: str
    source: str
    destination: str
    how: str  # "dns", "sni"


_MARKER_TYPE = 0x88B5  # IEEE 802: for local experiments


class Capture:
    """Everything on an interface, or on "any", from the constructor to `stop`.

    What tcpdump has not written yet is lost when it ends, and a check that finds nothing in a file
    that lacks the end proves nothing. So `stop` sends a frame of its own and waits for it.
    """

    def __init__(self, namespace: Namespace, interface: str, expression: str = "") -> None:
        self._namespace, self._interface = namespace, interface
        if expression:
            expression = f"({expression}) or ether proto {_MARKER_TYPE}"
        number = len(list(namespace.folder.glob("capture-*.pcap")))
        # The suffix is the one that AppArmor lets tcpdump write.
        self.file = namespace.folder / f"capture-{number}.pcap"
        self._tcpdump = namespace.start(
            f"tcpdump-{number}", "tcpdump", "-i", interface, "-n", "-U", "-s", "0", "-B", "16384",
            "-Z", "root", "--immediate-mode", "-w", str(self.file), *expression.split())
        eventually(f"tcpdump listens on {interface}",
                   lambda: "listening on" in self._tcpdump.said(), every_s=0.01)

    def __enter__(self) -> "Capture":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if not self._tcpdump.alive():
            return
        marker = b"the capture ends here " + os.urandom(8).hex().encode()
        with self._namespace.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
            link.bind(("lo" if self._interface == "any" else self._interface, _MARKER_TYPE))
            link.send(bytes(12) + _MARKER_TYPE.to_bytes(2, "big") + marker)
        eventually("the capture is written", lambda: marker in self.file.read_bytes())
        self._tcpdump.stop(signal.SIGINT)

    def fields(self, display_filter: str, *fields: str) -> list[list[str]]:
        """tshark's view: one row a packet, one text a field."""
        wanted = [part for field in fields for part in ("-e", field)]
        done = subprocess.run(["tshark", "-n", "-r", str(self.file), "-Y", display_filter,
                               "-T", "fields", *wanted], capture_output=True, text=True,
                              timeout=60)
        if done.returncode not in (0, 2):  # 2: the last packet was cut short
            raise AssertionError(done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def clear_names(self) -> set[ClearName]:
        """Every DNS question and TLS server name that stands in clear."""
        found = set()
        for name, sni, v4, v6, to4, to6 in self.fields(
                "dns.qry.name or tls.handshake.extensions_server_name", "dns.qry.name",
                "tls.handshake.extensions_server_name", "ip.src", "ipv6.src", "ip.dst",
                "ipv6.dst"):
            for text, how in ((name, "dns"), (sni, "sni")):
                found |= {ClearName(one.lower(), v4 or v6, to4 or to6, how)
                          for one in text.split(",") if one}
        return found

    def holds(self, name: str) -> bool:
        """Whether the octets of a name stand anywhere, as DNS labels or as text."""
        octets = self.file.read_bytes().lower()
        labels = [label.encode().lower() for label in name.rstrip(".").split(".")]
        wire = b"".join(bytes([len(label)]) + label for label in labels)
        return wire in octets or b".".join(labels) in octets

    def destinations(self, display_filter: str = "tcp or udp") -> set[tuple[str, str, int]]:
        """Protocol, address and port of everything that was sent to."""
        rows = self.fields(display_filter, "ip.dst", "ipv6.dst", "tcp.dstport", "udp.dstport")
        return {("tcp" if tcp else "udp", v4 or v6, int(tcp or udp))
                for v4, v6, tcp, udp in rows if (tcp or udp).isdigit()}

    def count(self, display_filter: str) -> int:
        return len(self.fields(display_filter, "frame.number"))

    def keep(self, where: Path) -> None:
        where.write_bytes(self.file.read_bytes())
