"""Limits that a client meets, by each way it may come. Loopback only, no privilege."""

from __future__ import annotations

import contextlib
import resource
import socket
import ssl
import struct
import time
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.rdataclass
import pytest

from doh_clients import H2Client, get
from forwarders import NAME, STRANGER, Client, Forwarder, limit, query
from upstreams import ADN, eventually, framed

NO_RATE = {"queries_per_client_second": 1_000_000, "queries_per_client_burst": 1_000_000}


class Talk:
    """Sends and reads without ever waiting for either. Of answers it looks at the IDs alone."""

    def __init__(self, client: Client, octets: bytes) -> None:
        self._tls, self._left, self._data = client.tls, octets, b""
        self._tls.setblocking(False)
        self.ids: list[int] = []

    def send(self) -> int:
        """How many octets are left."""
        with contextlib.suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
            while self._left:
                self._left = self._left[self._tls.send(self._left[:16384]):]
        return len(self._left)

    def read(self) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            more = self._tls.recv(65536)
            assert more, "closed instead of answers"
            self._data += more
        while len(self._data) >= 4:
            size, id_ = struct.unpack("!HH", self._data[:4])
            if len(self._data) < 2 + size:
                break
            self.ids.append(id_)
            self._data = self._data[2 + size:]


def test_who_reads_late_is_not_read_meanwhile_and_misses_nothing(forwarder, connect):
    limit(forwarder, **NO_RATE, output_bytes_max=20_000, stalled_max=300_000)
    client = connect(source=STRANGER)
    asked = query("large.example.")
    client.ask(asked)  # known from now on
    ids = list(range(8000))  # answers of 16 MB: more than the kernel takes
    talk = Talk(client, b"".join(framed(struct.pack("!H", one) + asked.to_wire()[2:])
                                 for one in ids))

    def rests() -> bool:
        before = forwarder.status()["dot_queries"]
        talk.send()
        time.sleep(1)
        return 1 < forwarder.status()["dot_queries"] == before

    eventually("it is not read any more", rests)
    assert forwarder.status()["dot_queries"] < len(ids)
    end = time.monotonic() + 60
    while len(talk.ids) < len(ids):
        assert time.monotonic() < end, f"{len(talk.ids)} answers"
        talk.send()
        talk.read()
    assert sorted(talk.ids) == ids
    # The control: it was not shed, and nothing was dropped.
    assert forwarder.status()["dot_queries"] == len(ids) + 1
    assert forwarder.status()["closed_slow"] == 0


@pytest.mark.parametrize("name", ["id.server.", "hostname.bind.", "version.bind."])
def test_who_asks_what_this_server_is_hears_nothing_of_it(forwarder, connect, upstream, name):
    """RFC 4892 leaves it to the operator."""
    client = connect()
    asked = dns.message.make_query(name, "TXT", rdclass=dns.rdataclass.CH)
    answers = [client.ask(asked), dns.query.udp(asked, "127.0.0.1", port=forwarder.do53, timeout=10)]
    for answer in answers:
        assert answer.rcode() == dns.rcode.REFUSED
        assert not answer.answer and not answer.authority
    assert upstream.queries == []
    client.ask(query("control.example."))
    assert len(upstream.queries) == 1


def test_over_its_places_in_flight_a_host_hears_429(forwarder, ca, resolver):
    limit(forwarder, in_flight_per_client_max=1)
    with contextlib.closing(H2Client(forwarder.doh, ca.roots, source=STRANGER)) as client:
        waiting = client.request(get(query("slow.example.")))
        client.flush()
        eventually("it waits", lambda: forwarder.status()["upstream_questions"] == 1)
        refused = client.fetch(get(query("other.example.")))
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        assert client.fetch(get(query("localhost."))).status == 200  # nobody has to be asked
        resolver.go.set()
        assert client.response(waiting).status == 200
        eventually("its place is free", lambda: client.fetch(
            get(query("other.example."))).status == 200)
    assert forwarder.status()["limit_in_flight_client"] >= 1


def test_over_its_rate_a_host_hears_429_by_http_1_1_too(forwarder, ca):
    assert forwarder.tell("http1", "limit queries_per_client_second 1",
                          "limit queries_per_client_burst 2", "apply") == "ok"
    context = ssl.create_default_context(cafile=str(ca.roots))
    plain = socket.create_connection(("127.0.0.1", forwarder.doh), timeout=10,
                                     source_address=(STRANGER, 0))
    asked = f"GET {get(query('rate.example.'))} HTTP/1.1\r\nhost: {NAME}\r\n\r\n".encode()
    with context.wrap_socket(plain, server_hostname=NAME) as tls:
        data = b""
        for _ in range(40):  # more than come free while a busy machine asks them
            tls.sendall(asked)
            data += tls.recv(65536)
            if b"HTTP/1.1 429" in data:
                break
    assert data.startswith(b"HTTP/1.1 200 OK\r\n"), "the control: some are answered"
    assert b"HTTP/1.1 429 Too Many Requests\r\n" in data
    assert b"retry-after: 1\r\n" in data.lower()
    assert forwarder.status()["queries_refused"] >= 1


def files_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


# A sanitizer looks at memory through a pipe, and has no file left for it.
@pytest.mark.released
def test_without_a_file_left_who_comes_is_let_go_at_once(tmp_path, ca, identity, upstream):
    """Or he would wait, and the forwarder would be woken for him for ever."""
    forwarder = Forwarder(tmp_path / "one.log", workers=1)
    assert forwarder.tell(f"identity {identity[0]} {identity[1]}",
                          f"upstream {ADN} {upstream.endpoint}", f"roots {ca.roots}", "apply") == "ok"
    there = Client(forwarder.dot, ca.roots)
    there.ask(query("before.example."))
    _, most = resource.prlimit(forwarder.child, resource.RLIMIT_NOFILE)
    resource.prlimit(forwarder.child, resource.RLIMIT_NOFILE,
                     (files_of(forwarder.child) + 2, most))
    coming = []
    try:
        for _ in range(8):
            coming.append(socket.create_connection(("127.0.0.1", forwarder.dot), timeout=10,
                                                   source_address=(STRANGER, 0)))
        eventually("some are let go", lambda: forwarder.status()["accepts_failed"] >= 4)
        ended = 0
        for plain in coming:
            plain.settimeout(2)
            with contextlib.suppress(TimeoutError):
                try:
                    ended += plain.recv(1) == b""
                except ConnectionError:
                    ended += 1
        assert ended >= 4
        eventually("it rests", forwarder.rests)
        assert there.ask(query("before.example.")).answer
    finally:
        resource.prlimit(forwarder.child, resource.RLIMIT_NOFILE, (most, most))
        for plain in coming:
            plain.close()
    with Client(forwarder.dot, ca.roots) as later:  # the control: with files it goes on
        assert later.ask(query("after.example.")).answer
    there.tls.close()
    assert forwarder.end() == 0
