"""A host of the home: it learns what the network tells, and asks names."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import re
import select
import socket
import ssl
import struct
import threading
import time
from pathlib import Path
from typing import Callable, Iterable, Iterator

import dns.message
import dns.query
import dns.rdatatype

from . import decode
from .namespace import Namespace
from .program import eventually, unconfined

# What udhcpc calls: keeps what it was told, and sets the host up as a plain host would.
_UDHCPC_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
env > {folder}/udhcpc.env
ip -4 addr replace "$ip/$mask" dev "$interface"
ip -4 route replace default via "${{router%% *}}" dev "$interface"
: > /etc/resolv.conf
for server in $dns; do echo "nameserver $server" >> /etc/resolv.conf; done
"""
_DHCLIENT_SCRIPT = """#!/bin/sh
case "$reason" in BOUND|RENEW|REBIND|REBOOT|BOUND6|RENEW6)
    env > {folder}/dhclient.new && mv {folder}/dhclient.new {folder}/dhclient.env;;
esac
exit 0
"""
_DHCLIENT_CONF = """option dnr code 162 = string;
option dhcp6.dnr code 144 = string;
initial-interval 1;
backoff-cutoff 2;
initial-delay 0;
timeout 15;
request subnet-mask, routers, domain-name-servers, dnr;
also request dhcp6.name-servers, dhcp6.dnr;
"""
_DHCPCD_CONF = """duid
noarp
define 162 binhex dnr
option dnr
script {folder}/dhcpcd-script
"""
_DHCPCD_SCRIPT = """#!/bin/sh
[ "$reason" != BOUND ] || env > {folder}/dhcpcd.env
"""


@dataclasses.dataclass(frozen=True)
class Kdig:
    """What kdig found and whom it met."""
    status: str  # NOERROR, SERVFAIL, … or "" when there was no answer
    addresses: tuple[str, ...]
    trusted: bool
    chain: tuple[str, ...]  # subjects of the certificates it was shown, the resolver's first
    said: str


class Host:
    def __init__(self, namespace: Namespace, trust: Path) -> None:
        self.ns = namespace
        self.trust = trust  # the roots this host believes in
        self._folder = namespace.folder

    def connect(self) -> None:
        self.ns.set("net/ipv6/conf/default/accept_ra", 1)
        self.ns.ip("link set lo up", "link set eth0 up")

    # What the network tells.

    def join(self) -> dict[str, str]:
        """Becomes a host of the home: an address, a route, resolvers, all by DHCPv4."""
        told = self.ask_udhcpc()
        eventually("an IPv6 address by RA", lambda: "fd77:" in self.ns.run(
            "ip", "-6", "addr", "show", "dev", "eth0").stdout)
        return told

    def ask_udhcpc(self, within_s: float = 30, also: tuple[int, ...] = (), tries: int = 10
                   ) -> dict[str, str]:
        """busybox's DHCP client, asking for option 162 and those of `also`; the variables its
        script was given."""
        script = self._folder / "udhcpc-script"
        script.write_text(_UDHCPC_SCRIPT.format(folder=self._folder))
        script.chmod(0o755)
        (self._folder / "udhcpc.env").unlink(missing_ok=True)
        wanted = [word for code in (162, *also) for word in ("-O", str(code))]
        self.ns.run("udhcpc", "-i", "eth0", "-f", "-q", "-n", "-t", str(tries), "-T", "1", *wanted,
                    "-s", str(script), within_s=within_s)
        return _environment(self._folder / "udhcpc.env")

    def dhcpv4(self) -> list[decode.Resolver]:
        """Encrypted resolvers by DHCPv4: what udhcpc is given, decoded. Empty: none offered."""
        return decode.dhcpv4(bytes.fromhex(self.ask_udhcpc().get("opt162", "")))

    def dhcpv4_by_dhclient(self) -> list[decode.Resolver]:
        return decode.dhcpv4(self.option_162_by_dhclient())

    def option_162_by_dhclient(self) -> bytes:
        """What ISC's client hands to its script; nothing: it was told nothing."""
        told = self._dhclient("-4")
        return _octets(told["new_dnr"]) if "new_dnr" in told else b""

    def dhcpv6_by_dhclient(self) -> list[decode.Resolver]:
        """The same over DHCPv6 (Information-request), by ISC's client."""
        told = self._dhclient("-6", "-S")
        return [decode.dhcpv6(_octets(told["new_dhcp6_dnr"]))] if "new_dhcp6_dnr" in told else []

    def dhcpv4_by_dhcpcd(self) -> list[decode.Resolver]:
        return decode.dhcpv4(self.option_162_by_dhcpcd())

    def option_162_by_dhcpcd(self) -> bytes:
        """The same by dhcpcd, as an option that the user defines."""
        folder = self._folder
        (folder / "dhcpcd.conf").write_text(_DHCPCD_CONF.format(folder=folder))
        script = folder / "dhcpcd-script"
        script.write_text(_DHCPCD_SCRIPT.format(folder=folder))
        script.chmod(0o755)
        (folder / "dhcpcd.env").unlink(missing_ok=True)
        self.ns.run(*dhcpcd(f"-4 -1 -B -t 15 -f {folder}/dhcpcd.conf eth0"), within_s=60)
        return bytes.fromhex(_environment(folder / "dhcpcd.env").get("new_dnr", ""))

    def _dhclient(self, *options: str) -> dict[str, str]:
        folder = self._folder
        script = folder / "dhclient-script"
        script.write_text(_DHCLIENT_SCRIPT.format(folder=folder))
        script.chmod(0o755)
        (folder / "dhclient.conf").write_text(_DHCLIENT_CONF)
        for leftover in ("dhclient.env", "dhclient.leases", "dhclient.pid"):
            (folder / leftover).unlink(missing_ok=True)
        client = self.ns.start(
            "dhclient", unconfined("dhclient", folder / "bin"), *options, "-1", "-d",
            "-cf", str(folder / "dhclient.conf"), "-lf", str(folder / "dhclient.leases"),
            "-pf", str(folder / "dhclient.pid"), "-sf", str(script), "eth0")
        try:
            eventually(f"dhclient is told (see {client.log})",
                       lambda: (folder / "dhclient.env").exists())
        finally:
            client.stop()
        return _environment(folder / "dhclient.env")

    def dhcpv6(self) -> list[decode.Resolver]:
        """Encrypted resolvers by DHCPv6."""
        return [decode.dhcpv6(option) for option in self.dhcpv6_options(144)[144]]

    def dhcpv6_options(self, *codes: int) -> dict[int, list[bytes]]:
        """The data of these options by DHCPv6: scapy asks and takes the answer apart."""
        from scapy.layers import dhcp6  # half a second to load: only who needs it waits

        asked = (dhcp6.DHCP6_InfoRequest(trid=int(time.monotonic() * 1000) & 0xFFFFFF)
                 / dhcp6.DHCP6OptClientId(duid=dhcp6.DUID_LL(lladdr=self.mac()))
                 / dhcp6.DHCP6OptElapsedTime() / dhcp6.DHCP6OptOptReq(reqopts=[23, *codes]))
        with self.ns.entered():
            index = socket.if_nametoindex("eth0")
            client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        with client:
            client.bind(("::", 546))
            client.settimeout(2)
            for _ in range(5):
                client.sendto(bytes(asked), ("ff02::1:2", 547, 0, index))
                try:
                    answer = dhcp6.DHCP6_Reply(client.recv(4096))
                except TimeoutError:
                    continue
                if answer.trid == asked.trid:
                    return {code: list(_dhcp6_options(answer, code)) for code in codes}
        raise AssertionError("no DHCPv6 server answered")

    def advertisements(self, for_s: float, solicit: bool = True
                       ) -> Iterator[decode.RouterAdvertisement]:
        """Router Advertisements as they come, by a raw socket, after a solicitation of ours."""
        with self._advertisement_socket() as listener:
            if solicit:
                mac = bytes.fromhex(self.mac().replace(":", ""))
                listener.sendto(b"\x85\0\0\0\0\0\0\0\1\1" + mac, ("ff02::2", 0))
            yield from _received(listener, time.monotonic() + for_s, threading.Event())

    @contextlib.contextmanager
    def watching(self) -> Iterator[list[decode.RouterAdvertisement]]:
        """Every RA that comes while the `with` lasts; the list grows meanwhile."""
        seen: list[decode.RouterAdvertisement] = []
        with self.each_advertisement(seen.append):
            yield seen

    @contextlib.contextmanager
    def each_advertisement(self, heard: Callable[[decode.RouterAdvertisement], None]
                           ) -> Iterator[None]:
        """Calls `heard`, in a thread, with every RA that comes while the `with` lasts."""
        over = threading.Event()
        # Opened before anyone acts: what the first act brings about must not come before it.
        listener = self._advertisement_socket()

        def watch() -> None:
            for advertisement in _received(listener, math.inf, over):
                heard(advertisement)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
            listener.close()

    def _advertisement_socket(self) -> socket.socket:
        with self.ns.entered():
            listener = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            index = socket.if_nametoindex("eth0")
        # ICMP6_FILTER (1): all types but 134 are kept from us.
        types = [0xFFFFFFFF] * 8
        types[134 // 32] &= ~(1 << 134 % 32)
        listener.setsockopt(socket.IPPROTO_ICMPV6, 1, struct.pack("8I", *types))
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        return listener

    def ra(self, within_s: float = 12) -> list[decode.NdOption]:
        """Encrypted resolvers by RA: those of the first RA that names one. Empty: none did."""
        return next((options for advertisement in self.advertisements(within_s)
                     if (options := advertisement.encrypted_dns())), [])

    # Asking names.

    def kdig(self, name: str, server: str, adn: str, port: int = 853, kind: str = "A") -> Kdig:
        """Asks over DoT by kdig, which verifies chain and name or says why not."""
        done = self.ns.run("kdig", "-d", f"@{server}", "-p", str(port), name, kind,
                           f"+tls-ca={self.trust}", f"+tls-hostname={adn}", "+timeout=3",
                           "+retry=0", check=False)
        said = done.stdout + done.stderr
        status = re.search(r"status: (\w+)", said)
        return Kdig(
            status=status.group(1) if status else "",
            addresses=tuple(re.findall(rf"\sIN\s+{kind}\s+(\S+)$", said, re.MULTILINE)),
            trusted="The certificate is trusted" in said,
            chain=tuple(re.findall(r"DEBUG:  #\d+, (.*)$", said, re.MULTILINE)), said=said)

    def tls_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.trust))
        context.set_alpn_protocols(["dot"])
        return context

    def ask(self, name: str, server: str, adn: str, port: int = 853, kind: str = "A",
            within_s: float = 5) -> dns.message.Message:
        """Asks over DoT by dnspython; ssl.SSLError when the resolver is not `adn`."""
        query = dns.message.make_query(name, kind, use_edns=0)
        with self.ns.entered():
            return dns.query.tls(query, server, port=port, timeout=within_s,
                                 ssl_context=self.tls_context(), server_hostname=adn)

    def ask_clear(self, name: str, server: str, kind: str = "A", within_s: float = 3
                  ) -> dns.message.Message:
        """Asks over plain UDP, as old hosts do."""
        with self.ns.entered():
            return dns.query.udp(dns.message.make_query(name, kind), server, timeout=within_s)

    def dot_connection(self, server: str, adn: str, port: int = 853) -> ssl.SSLSocket:
        """An authenticated connection, for stories that hold on to one."""
        with self.ns.entered():
            plain = socket.create_connection((server, port), timeout=5)
        return self.tls_context().wrap_socket(plain, server_hostname=adn)

    def flood(self, server: str, adn: str, for_s: float) -> Callable[[], int]:
        """Questions over one connection as fast as they go, each for another name, answers thrown
        away. Returns at once; what it returns waits for the end and tells how many were sent."""
        sent = [0]
        end = time.monotonic() + for_s
        names = itertools.count()

        def batch() -> bytes:
            queries = []
            for _ in range(200):
                label = b"f%d-%d" % (threading.get_ident() % 1000, next(names))
                name = bytes([len(label)]) + label + b"\x04load\x07example\x03org\0"
                query = struct.pack("!6H", sent[0] & 0xFFFF, 0x100, 1, 0, 0, 0) + name + b"\0\1\0\1"
                queries.append(struct.pack("!H", len(query)) + query)
            return b"".join(queries)

        def pour(connection: ssl.SSLSocket) -> None:
            connection.setblocking(False)
            waiting = b""
            while time.monotonic() < end:
                waiting = waiting or batch()
                with contextlib.suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    sent[0] += 200 * connection.send(waiting) // len(waiting)
                    waiting = b""
                with contextlib.suppress(ssl.SSLWantReadError):
                    while connection.recv(65536):
                        pass
                    return  # the resolver has had enough of this connection

        def run() -> None:
            while time.monotonic() < end:
                with contextlib.suppress(OSError), self.dot_connection(server, adn) as connection:
                    pour(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def finished() -> int:
            thread.join()
            return sent[0]

        return finished

    def mac(self) -> str:
        with self.ns.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
            link.bind(("eth0", 0))
            return link.getsockname()[4].hex(":")


def dhcpcd(options: str) -> tuple[str, ...]:
    """Its leases and its process number lie in places that the configuration can't move, and by the
    latter it takes another home's for its own."""
    places = " && ".join(f"mkdir -p {one} && mount -t tmpfs none {one}"
                         for one in ("/var/lib/dhcpcd", "/run/dhcpcd"))
    return "unshare", "-m", "sh", "-c", f"{places} && exec dhcpcd {options}"


def addresses(answer: dns.message.Message) -> list[str]:
    """The addresses in an answer."""
    return [record.address for rrset in answer.answer for record in rrset
            if rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)]


def _received(listener: socket.socket, until: float, over: threading.Event
              ) -> Iterator[decode.RouterAdvertisement]:
    while True:
        # Read before what is there, so that at the end nothing stays unread that came in time.
        left = 0 if over.is_set() else max(0, until - time.monotonic())
        if not select.select([listener], [], [], min(left, 0.2))[0]:
            if left:
                continue
            return
        message, ancillary, _, peer = listener.recvmsg(4096, 256)
        told = {kind: data for _, kind, data in ancillary}
        hops = struct.unpack("i", told[socket.IPV6_HOPLIMIT])[0]
        yield dataclasses.replace(
            decode.router_advertisement(message, peer[0].split("%")[0], hops),
            multicast=told[socket.IPV6_PKTINFO][0] == 0xFF)


def _environment(file: Path) -> dict[str, str]:
    lines = file.read_text(errors="replace").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _octets(text: str) -> bytes:
    """dhclient writes octets as "0:1a:…", or as text with backslashes where all is printable."""
    return bytes(int(part, 16) for part in text.split(":"))


def _dhcp6_options(answer: object, code: int) -> Iterable[bytes]:
    layer = answer
    while layer := getattr(layer, "payload", None):
        if getattr(layer, "optcode", None) == code:
            yield bytes(layer)[4:4 + layer.optlen]
