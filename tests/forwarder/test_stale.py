"""What becomes of an answer that comes after a stale one was given in its place (RFC 8767). Loopback only,
no privilege."""

from __future__ import annotations

import threading
import time

import dns.rcode

from forwarders import query
from upstreams import answer_to, eventually, framed

EXTENDED_ERROR, STALE = 15, 3


def stale_error(answer) -> int | None:
    return next((int(one.code) for one in answer.options if one.otype == EXTENDED_ERROR), None)


def test_an_answer_that_comes_late_is_kept(forwarder, connect, upstream):
    asked_again, go = threading.Event(), threading.Event()
    lock, answered = threading.Lock(), []

    def late(server, connection):
        while asked := server.read(connection):
            with lock:
                first = not answered
                answered.append(asked)
            if not first:
                asked_again.set()
                go.wait(30)
            # Kept for longer than this test takes, but for what is to be stale.
            connection.sendall(framed(answer_to(asked, "192.0.2.1" if first else "192.0.2.2",
                                                ttl=1 if first else 3600).to_wire()))

    upstream.behave = late
    client = connect()
    client.tls.settimeout(15)
    asked = query("late.example.", use_edns=0)
    assert client.ask(asked).answer[0][0].address == "192.0.2.1"
    time.sleep(2.1)  # its time is over
    stale = client.ask(asked)
    assert asked_again.is_set()
    assert (stale.answer[0][0].address, stale_error(stale)) == ("192.0.2.1", STALE)
    time.sleep(1.2)  # nobody waits any more: it is for the cache alone
    go.set()
    eventually("it is kept", lambda: stale_error(client.ask(asked)) is None)
    fresh = client.ask(asked)
    assert (fresh.answer[0][0].address, stale_error(fresh)) == ("192.0.2.2", None)
    assert fresh.rcode() == dns.rcode.NOERROR
    assert forwarder.status()["upstream_questions"] == 2
    assert forwarder.status()["failures_recent"] == 0
