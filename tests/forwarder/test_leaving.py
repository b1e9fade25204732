"""How the forwarder leaves connections, DoT's and DoH's: what was asked is answered first, within a time. Loopback
only, no privilege needed."""

from __future__ import annotations

import resource
import socket
import ssl
import threading
import time

import dns.message
import pytest
from hyperframe import frame

from doh_clients import FrameClient, get
from forwarders import NAME, Client, Forwarder, limit, query
from upstreams import ADN, eventually

ASKED = query("leaving.example.")
MAX_STREAM = 2**31 - 1  # RFC 9113 section 6.8: what is on its way is still heard


def leaves_well(client: FrameClient, resolver) -> None:
    """Asked something slow before, it is told to begin nothing more, and gets all its answers."""
    notice = client.until(frame.GoAwayFrame)
    assert (notice.last_stream_id, notice.error_code) == (MAX_STREAM, 0)
    client.get(3, query("crossing.example."))
    ping = client.until(frame.PingFrame)
    client.pong(ping)
    late = client.until(frame.GoAwayFrame)
    assert (late.last_stream_id, late.error_code) == (3, 0)
    client.get(5, query("too-late.example."))
    resolver.go.set()
    while client.next() is not None:
        continue
    answers_there = {stream: dns.message.from_wire(body) for stream, body in client.bodies.items()}
    assert set(answers_there) == {1, 3} and all(one.answer for one in answers_there.values())


@pytest.fixture
def leaver(forwarder, ca):
    """With a slow question in flight, for as long as it takes."""
    limit(forwarder, leaving_max=60000)
    client = FrameClient(forwarder.doh, ca.roots)
    client.get(1, query("slow.example."))
    eventually("it is asked", lambda: forwarder.status()["upstream_questions"] == 1)
    return client


def test_at_the_end_of_the_service_what_was_begun_is_answered(forwarder, leaver, resolver):
    ending = threading.Thread(target=forwarder.end)
    ending.start()
    leaves_well(leaver, resolver)
    ending.join()


def test_when_its_listener_goes_what_was_begun_is_answered(forwarder, ca, leaver, resolver):
    with Client(forwarder.dot, ca.roots) as other:
        other.ask(ASKED)
        assert forwarder.tell("listen without-doh") == "ok"
        leaves_well(leaver, resolver)
        assert other.ask(query("stays.example.")).answer
    status = forwarder.status()
    assert (status["doh"], status["closed_unanswered"]) == (0, 0)


def test_a_question_that_crosses_the_end_of_an_idle_connection_is_answered(forwarder, ca):
    limit(forwarder, leaving_max=60000, doh_idle_max=300)
    client = FrameClient(forwarder.doh, ca.roots)
    assert client.until(frame.GoAwayFrame).last_stream_id == MAX_STREAM
    client.get(1, ASKED)
    assert client.answer()[1].answer
    client.pong(frame.PingFrame(0, bytes(8)))
    assert client.until(frame.GoAwayFrame).last_stream_id == 1
    assert client.next() is None
    assert forwarder.status()["closed_idle"] == 1


def test_who_can_not_be_answered_is_left_all_the_same(forwarder, ca, leaver, resolver):
    limit(forwarder, leaving_max=300)
    assert forwarder.tell("listen without-doh") == "ok"
    assert leaver.until(frame.GoAwayFrame).last_stream_id == MAX_STREAM
    while leaver.next() is not None:
        continue
    assert leaver.bodies == {}
    status = forwarder.status()
    assert (status["doh"], status["closed_unanswered"]) == (0, 1)


def test_http_1_1_ends_with_the_answer_that_was_begun(forwarder, ca, resolver):
    limit(forwarder, leaving_max=60000)
    assert forwarder.tell("http1", "apply") == "ok"
    context = ssl.create_default_context(cafile=str(ca.roots))
    with socket.create_connection(("127.0.0.1", forwarder.doh), timeout=15) as plain, \
            context.wrap_socket(plain, server_hostname=NAME) as tls:
        tls.sendall(f"GET {get(query('slow.example.'))} HTTP/1.1\r\nhost: {NAME}\r\n\r\n"
                    .encode())
        eventually("it is asked", lambda: forwarder.status()["upstream_questions"] == 1)
        assert forwarder.tell("listen without-doh") == "ok"
        resolver.go.set()
        data = b""
        while more := tls.recv(65536):
            data += more
    assert data.startswith(b"HTTP/1.1 200 OK\r\n") and b"connection: close\r\n" in data
    assert data.endswith(b"\xc0\x00\x02\x07")


def ends_as_asked(client: Client, asked: dns.message.Message) -> bool:
    """True: answered; false: reset. Never a good end without an answer (RFC 7766 section 6.2.4)."""
    client.tls.settimeout(30)
    try:
        answer = client.answer()
    except OSError:
        return False
    assert answer.id == asked.id and client.is_closed()
    return True


def test_a_query_that_crosses_the_end_of_an_idle_connection_is_answered(forwarder, connect):
    limit(forwarder, idle_max=700, leaving_max=60000)
    client = connect()
    client.ask(ASKED)
    with forwarder.stopped():
        client.send(ASKED)
        time.sleep(1)  # when it goes on both are there, the query and the end
    assert ends_as_asked(client, ASKED)
    assert forwarder.status()["closed_idle"] == 1


CROSSING = 2600  # more than are heard before it is seen whose time is over


@pytest.fixture
def crowded(tmp_path, ca, identity, upstream):
    """A forwarder of one worker with room for many, whose files it inherits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    forwarder = Forwarder(tmp_path / "one.log", workers=1)
    assert forwarder.tell(f"identity {identity[0]} {identity[1]}",
                          f"upstream {ADN} {upstream.endpoint}", f"roots {ca.roots}",
                          "apply") == "ok"
    limit(forwarder, memory_mib=1024, leaving_max=60000, idle_max=3600 * 1000,
          **dict.fromkeys(("connections_max", "connections_per_client_max",
                           "full_handshakes_per_client_second",
                           "full_handshakes_per_client_burst"), 10**6))
    yield forwarder
    assert forwarder.end() == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_none_of_many_queries_that_cross_the_end_is_left_unanswered(crowded, ca):
    context = ssl.create_default_context(cafile=str(ca.roots))
    clients = [Client(crowded.dot, ca.roots, f"127.0.1.{1 + i % 200}", context=context)
               for i in range(CROSSING)]
    begun = time.monotonic()
    for client in clients:
        client.ask(ASKED)
    # Nobody's time is over before it stops, however slow this machine is; then everybody's.
    idle = 5 + 2 * (time.monotonic() - begun)
    limit(crowded, idle_max=round(idle * 1000))
    with crowded.stopped():
        for client in clients:
            client.send(ASKED)
        time.sleep(idle + 2)
    # It goes on: all queries are there, and the ends of those that it can't hear first.
    for client in clients:
        client.tls.settimeout(30)
        assert client.answer().id == ASKED.id
        client.tls.close()
    assert crowded.status()["closed_idle"] > 0, "the control: some were over their time"


def test_a_query_that_crosses_the_end_of_the_service_is_answered(forwarder, connect):
    limit(forwarder, leaving_max=60000)
    clients = [connect() for _ in range(8)]
    for client in clients:
        client.ask(ASKED)
    with forwarder.stopped():
        for client in clients:
            client.send(ASKED)
        ending = threading.Thread(target=forwarder.end)
        ending.start()
        time.sleep(0.5)
    assert all(ends_as_asked(client, ASKED) for client in clients)
    ending.join()


def test_at_the_end_of_the_service_queries_of_dot_are_answered(forwarder, connect, resolver):
    limit(forwarder, leaving_max=60000)
    client, idle = connect(), connect()
    client.send(query("slow.example."), query("fast.example."))
    assert client.answer().question[0].name.to_text() == "fast.example."
    ending = threading.Thread(target=forwarder.end)
    ending.start()
    assert idle.is_closed()
    resolver.go.set()
    assert client.answer().question[0].name.to_text() == "slow.example."
    assert client.is_closed()
    ending.join()
