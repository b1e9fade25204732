"""What one host might do to the worker that serves it, and to others who are served by it: found by
reading, each with what showed it. Loopback only, no privilege needed."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from doh_clients import MESSAGE, H2Client, get
from floods import abort, client_hello
from forwarders import (NAME, STRANGER, Client, Forwarder, HalfRecord, Resolver, huge_answer_to,
                        limit, query)
from upstreams import ADN, eventually, framed

OTHER, THIRD = "127.0.0.3", "127.0.0.4"
READS_IN_VAIN = 50  # then a client is blocked


class Answering(Resolver):
    """Names below "fails" get SERVFAIL, those below "huge" 55 KB."""

    def _send(self, connection: ssl.SSLSocket, asked: dns.message.Message) -> None:
        name = asked.question[0].name.to_text()
        if "fails" in name:
            answer = dns.message.make_response(asked)
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif "huge" in name:
            answer = huge_answer_to(asked)
        else:
            return super()._send(connection, asked)
        with self._writing:
            connection.sendall(framed(answer.to_wire(max_size=65535)))


@pytest.fixture
def resolver() -> Resolver:
    return Answering()


@pytest.fixture
def forwarder(tmp_path, ca, identity, upstream):
    """Of one worker, so that all are served by the same."""
    forwarder = Forwarder(tmp_path / "forwarder.log", workers=1)
    assert forwarder.tell(f"identity {identity[0]} {identity[1]}",
                          f"upstream {ADN} {upstream.endpoint}", f"roots {ca.roots}",
                          "path /dns-query", "apply") == "ok"
    yield forwarder
    assert forwarder.end() == 0, (tmp_path / "forwarder.log").read_text()


def write_one_by_one(half: HalfRecord, octets: bytes) -> bytes:
    """A record of one octet each."""
    records = b""
    for octet in octets:
        half._tls.write(bytes([octet]))
        records += half._out.read()
    return records


@pytest.mark.parametrize("pieces, bans", [(READS_IN_VAIN + 1, 1), (READS_IN_VAIN, 0)])
def test_a_broken_record_ends_what_was_in_pieces(forwarder, ca, pieces, bans):
    """The read that fails is one in vain too, but by then the client is gone."""
    wire = framed(query("x" * 60 + ".example.").to_wire())
    broken = b"\x17\x03\x03\x00\x20" + bytes(32)
    with HalfRecord(forwarder.dot, ca.roots, STRANGER) as half:
        half.socket.sendall(write_one_by_one(half, wire[:pieces]) + broken)
        eventually("it is over", lambda: forwarder.status()["connections"] == 0)
    assert forwarder.status()["bans"] == bans


def test_what_is_asked_behind_too_much_that_is_held_is_not_heard(forwarder, ca):
    limit(forwarder, output_bytes_max=4096)
    with Client(forwarder.dot, ca.roots) as dot:
        dot.ask(query("large.example."))
        dot.ask(query("a.fails.example."))
    client = H2Client(forwarder.doh, ca.roots, STRANGER, window=0)
    for _ in range(14):
        client.request(get(query("large.example.")))
    client.request(get(query("a.fails.example.")))
    client.request(get(query("large.example.")))
    client.flush()
    eventually("it is reset", lambda: forwarder.status()["closed_slow"] == 1)
    client.close()


def test_bodies_without_end_are_bounded_a_host(forwarder, ca):
    limit(forwarder, full_handshakes_per_client_burst=1000)
    clients = []
    for _ in range(18):
        clients.append(H2Client(forwarder.doh, ca.roots, STRANGER))
        for _ in range(4):
            clients[-1].request("/dns-query", "POST", bytes(15000), ends=False,
                                content_type=MESSAGE)
        clients[-1].flush()
    eventually("it has its share", lambda: forwarder.status()["doh_bodies_refused"] > 0)
    with contextlib.closing(H2Client(forwarder.doh, ca.roots, OTHER)) as other:
        refused = other.fetch("/dns-query", "POST", bytes(4000), content_type=MESSAGE)
        assert refused.status == 200, "there was no room for it"
    for client in clients:
        client.close()


def test_a_request_wins_no_time_by_what_else_comes(forwarder, ca):
    limit(forwarder, frame_max=1500)
    client = H2Client(forwarder.doh, ca.roots, STRANGER)
    client.request("/dns-query", "POST", b"x", ends=False, content_type=MESSAGE)
    client.flush()
    begin = time.monotonic()
    with contextlib.suppress(OSError, AssertionError):
        while time.monotonic() - begin < 20:
            client.http.ping(b"12345678")
            client.ask(query("meanwhile.example."))
            time.sleep(0.3)
    assert time.monotonic() - begin < 20
    assert forwarder.status()["closed_slow"] == 1
    client.close()


def test_a_request_wins_no_time_by_a_slow_answer(forwarder, ca):
    limit(forwarder, frame_max=1500, query_max=60000)
    client = H2Client(forwarder.doh, ca.roots, STRANGER)
    client.tls.settimeout(30)
    slow = client.request(get(query("slow.example.")))
    client.request("/dns-query", "POST", b"x", ends=False, content_type=MESSAGE)
    client.flush()
    with pytest.raises(OSError):
        while client.read():
            pass
    assert slow not in client.done, "its time began when the answer was there"
    assert forwarder.status()["closed_slow"] == 1
    client.close()


def test_a_request_wins_no_time_by_making_us_stop_reading(forwarder, ca):
    limit(forwarder, frame_max=1000, query_max=1000, stalled_max=1000,
          in_flight_per_connection_max=1)
    client = H2Client(forwarder.doh, ca.roots, STRANGER)
    client.tls.settimeout(30)
    client.request("/dns-query", "POST", b"x", ends=False, content_type=MESSAGE)
    client.flush()
    begin, asked = time.monotonic(), 0
    with contextlib.suppress(OSError, AssertionError):
        while time.monotonic() - begin < 20:
            client.ask(query(f"{asked}.slow.example."))  # in vain, for a second in which it is not read
            asked += 1
    assert time.monotonic() - begin < 20
    assert asked > 0 and forwarder.status()["closed_slow"] == 1
    client.close()


def peak_mib(forwarder: Forwarder) -> int:
    status = Path(f"/proc/{forwarder.child}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


@pytest.mark.memory
def test_requests_behind_a_slow_one_are_not_all_answered_at_once(forwarder, ca, resolver):
    assert forwarder.tell("http1", "apply") == "ok"
    with Client(forwarder.dot, ca.roots) as dot:
        dot.ask(query("huge.example.", "TXT"))
    before = peak_mib(forwarder)
    context = ssl.create_default_context(cafile=str(ca.roots))
    plain = socket.create_connection(("127.0.0.1", forwarder.doh), source_address=(STRANGER, 0))
    with context.wrap_socket(plain, server_hostname=NAME) as tls:
        def ask(asked: dns.message.Message, times: int = 1) -> None:
            tls.sendall(f"GET {get(asked)} HTTP/1.1\r\n\r\n".encode() * times)

        ask(query("slow.example."))
        eventually("it is asked", lambda: forwarder.status()["upstream_questions"] == 2)
        ask(query("huge.example.", "TXT"), 500)
        eventually("they are read", lambda: forwarder.status()["connection_octets"] > 60_000)
        resolver.go.set()
        eventually("some are answered", lambda: forwarder.status()["cache_hits"] > 0)
        time.sleep(1)
        few = forwarder.status()["cache_hits"]
        assert few < 200, "nobody took so many"
        # The control: they wait for room, and go on.
        tls.settimeout(10)
        heard = 0
        while heard < 4 << 20:
            octets = len(tls.recv(65536))
            assert octets, "closed instead of answers"
            heard += octets
        eventually("more are answered", lambda: forwarder.status()["cache_hits"] > few)
    if not forwarder.is_sanitized():
        assert peak_mib(forwarder) - before < 24


def test_a_flood_of_connections_does_not_put_off_what_is_due(forwarder, ca):
    limit(forwarder, idle_max=1500, full_handshakes_per_client_second=1,
          full_handshakes_per_client_burst=4)
    idle = [Client(forwarder.dot, ca.roots, OTHER) for _ in range(4)]
    for client in idle:
        client.ask(query("idle.example."))
        time.sleep(0.004)  # their ends lie nearer to each other than two sweeps do
    hello, begin, opened = client_hello(), time.monotonic(), 0
    while forwarder.status()["closed_idle"] < 4:
        assert time.monotonic() - begin < 20, "they are still there"
        for _ in range(200):
            with contextlib.suppress(OSError), socket.socket() as plain:
                plain.bind((STRANGER, 0))
                plain.settimeout(2)
                plain.connect(("127.0.0.1", forwarder.dot))
                plain.sendall(hello)
                plain.recv(10)
                abort(plain)
            opened += 1
    assert opened > 200
    assert forwarder.status()["limit_full_handshakes_client"] > 100, "the control: it is a flood"
