"""Floods for the forwarder's tests: programs of their own, so that they hold up nobody who measures.
`floods.py KIND PORT ROOTS SOURCE…` floods until its standard input ends, then says in one line how
often it was served."""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Callable

from doh_clients import H2Client, get
from forwarders import NAME, Client, HalfRecord, query
from upstreams import framed

AT_ONCE = 16  # connections that one flood keeps open or opens again
PAUSE_S = 0.0005


def client_hello() -> bytes:
    """A whole one, with a key share that is good."""
    out = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["dot"])
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=NAME).do_handshake()
    return out.read()


def abort(plain: socket.socket) -> None:  # or what wraps one
    """Closes with a reset, so that no port is left waiting."""
    with contextlib.suppress(OSError):
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    plain.close()


@dataclass
class Open:
    """Connections that say `octets` and wait, each opened again when it ended or was answered."""
    port: int
    sources: list[str]
    octets: bytes
    leaves_when_served: bool = True
    served: int = 0
    _turn: int = 0
    _ready: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def open(self) -> None:
        self._turn += 1
        plain = socket.socket()
        try:
            plain.bind((self.sources[self._turn % len(self.sources)], 0))
            plain.settimeout(2)
            plain.connect(("127.0.0.1", self.port))
            plain.sendall(self.octets)
        except OSError:
            return plain.close()
        self._ready.register(plain, selectors.EVENT_READ)

    def run(self, over: threading.Event) -> int:
        while not over.is_set():
            while len(self._ready.get_map()) < AT_ONCE * len(self.sources) and not over.is_set():
                before = len(self._ready.get_map())
                self.open()
                if len(self._ready.get_map()) == before:
                    break
            for key, _ in self._ready.select(0.02):
                self._hear(key.fileobj)
            time.sleep(PAUSE_S)
        return self.served

    def _hear(self, plain: socket.socket) -> None:
        said = b""
        with contextlib.suppress(OSError):
            said = plain.recv(65536)
        if said:
            self.served += 1
        if not said or self.leaves_when_served:
            self._ready.unregister(plain)
            abort(plain)


def handshakes(port: int, _: Path, sources: list[str], over: threading.Event) -> int:
    """As many as are computed: who has his ServerHello begins another one."""
    return Open(port, sources, client_hello()).run(over)


def half_open(port: int, _: Path, sources: list[str], over: threading.Event) -> int:
    hello = client_hello()
    return Open(port, sources, hello[:len(hello) // 2]).run(over)


def in_octets(plain: socket.socket, octets: bytes, over: threading.Event) -> int:
    """Sends one at a time; how many were taken before the other side had enough."""
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for sent, octet in enumerate(octets):
        try:
            plain.sendall(bytes([octet]))
        except OSError:
            return sent
        if over.wait(PAUSE_S):
            break
    return len(octets)


def again(flood: Callable[[str], int], sources: list[str], over: threading.Event) -> int:
    """By each source in turn, whatever happens to it."""
    sum_ = 0
    for source in cycle(sources):
        if over.wait(PAUSE_S):
            return sum_
        with contextlib.suppress(OSError, AssertionError):
            sum_ += flood(source)
    return sum_


def slow_writers(port: int, roots: Path, sources: list[str], over: threading.Event) -> int:
    def one(source: str) -> int:
        with HalfRecord(port, roots, source) as half:
            return in_octets(half.socket, half.record(*[query("x" * 60 + ".example.")] * 100), over)

    return again(one, sources, over)


def slow_hellos(port: int, _: Path, sources: list[str], over: threading.Event) -> int:
    def one(source: str) -> int:
        with socket.create_connection(("127.0.0.1", port), timeout=2,
                                      source_address=(source, 0)) as plain:
            return in_octets(plain, client_hello(), over)

    return again(one, sources, over)


def slow_readers(port: int, roots: Path, sources: list[str], over: threading.Event) -> int:
    """Ask for what is large as long as somebody listens, and read nothing."""
    held: list[Client] = []

    def one(source: str) -> int:
        if len(held) == AT_ONCE:
            abort(held.pop(0).tls)
        client = Client(port, roots, source)
        held.append(client)
        client.tls.settimeout(0.2)
        client.tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while not over.is_set():
            client.send(*[query("large.example.")] * 20)
        return 0

    return again(one, sources, over)


def rapid_reset(client: H2Client) -> None:
    streams = [client.request(get(query(f"slow{i}.example."))) for i in range(50)]
    for stream in streams:
        client.http.reset_stream(stream)
    client.flush()


def headers_without_end(client: H2Client) -> None:
    """A header of which each piece says nothing."""
    head = struct.pack("!I", 0)[1:] + bytes([1, 0]) + struct.pack("!I", 99)
    more = struct.pack("!I", 0)[1:] + bytes([9, 0]) + struct.pack("!I", 99)
    client.tls.sendall(head + more * 1000)


def by_http2(what: Callable[[H2Client], None]):
    def flood(port: int, roots: Path, sources: list[str], over: threading.Event) -> int:
        def one(source: str) -> int:
            client = H2Client(port, roots, source)
            client.tls.settimeout(2)
            with contextlib.suppress(OSError):
                for _ in range(20):
                    what(client)
            abort(client.tls)
            return 1

        return again(one, sources, over)

    return flood


def many_addresses(port: int, roots: Path, sources: list[str], over: threading.Event) -> int:
    """Holds a connection from each, and asks by all of them."""
    held: list[Client] = []

    def one(source: str) -> int:
        with contextlib.suppress(OSError):
            held.append(Client(port, roots, source))
        for client in list(held[-64:]):
            try:
                client.ask(query("flood.example."))
            except (OSError, AssertionError):
                held.remove(client)
                client.tls.close()
        return 1

    return again(one, sources, over)


KNOWN = framed(query("known.example.").to_wire())
UNKNOWN = b"u0000000"  # a label, each time another


def unknown() -> bytes:
    name = f"u{random.getrandbits(28):07x}".encode()
    return framed(query(f"{UNKNOWN.decode()}.flood.example.").to_wire()).replace(UNKNOWN, name)


def questions(batch: Callable[[], bytes]):
    """Asks by one connection from each source, and reads whatever comes."""

    def flood(port: int, roots: Path, sources: list[str], over: threading.Event) -> int:
        open_: dict[str, Client] = {}

        def one(source: str) -> int:
            try:
                if source not in open_:
                    open_[source] = Client(port, roots, source)
                    open_[source].tls.settimeout(0)
                tls = open_[source].tls
                tls.sendall(batch())
                return len(tls.recv(65536))
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return 0
            except OSError:
                if source in open_:
                    abort(open_.pop(source).tls)
                return 0

        return again(one, sources, over)

    return flood


KINDS: dict[str, Callable[[int, Path, list[str], threading.Event], int]] = {
    "handshakes": handshakes, "half_open": half_open, "slow_writers": slow_writers,
    "slow_hellos": slow_hellos, "slow_readers": slow_readers,
    "rapid_reset": by_http2(rapid_reset), "continuations": by_http2(headers_without_end),
    "many_addresses": many_addresses, "questions": questions(lambda: KNOWN * 20),
    "unknown_questions": questions(lambda: b"".join(unknown() for _ in range(4)))}


class Flood:
    """One that runs by itself."""

    def __init__(self, kind: str, port: int, roots: Path, *sources: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, kind, str(port), str(roots), *sources],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "begun\n"

    def end(self) -> int:
        served, _ = self._process.communicate("", timeout=30)
        assert self._process.returncode == 0
        return int(served)


def main(kind: str, port: str, roots: str, *sources: str) -> None:
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    print("begun", flush=True)
    print(KINDS[kind](int(port), Path(roots), list(sources), over))


if __name__ == "__main__":
    main(*sys.argv[1:])
