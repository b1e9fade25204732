"""Frames of DNS over TLS: in which records answers leave, and how long the rest of a query may be on its way.
Loopback only, no privilege needed."""

from __future__ import annotations

import ssl
import struct
import time

import dns.edns
import dns.message
import pytest

from forwarders import Client, limit, query
from upstreams import answer_to, answers, framed

PADDING = 12


def records_of(client: Client, count: int) -> list[list[int]]:
    """The sizes of the answers in each record; a record that holds less than whole ones is told."""
    sizes: list[list[int]] = []
    while sum(map(len, sizes)) < count:
        data = client.tls.recv(65536)  # one record at most
        assert data, "closed instead of an answer"
        sizes.append([])
        while data:
            end = 2 + struct.unpack("!H", data[:2])[0]
            assert len(data) >= end, f"cut behind {sizes}"
            dns.message.from_wire(data[2:end])
            sizes[-1].append(end)
            data = data[end:]
    return sizes


@pytest.mark.parametrize("are_cached", [True, False])
def test_no_answer_is_cut_by_the_end_of_a_record(connect, upstream, are_cached):
    count, padding = 40, [dns.edns.GenericOption(PADDING, b"")]

    def all_at_once(server, connection):
        asked = [server.read(connection) for _ in range(count)]
        connection.sendall(b"".join(framed(answer_to(one).to_wire()) for one in asked))

    upstream.behave = answers if are_cached else all_at_once
    client = connect()
    if are_cached:
        client.ask(query("padded0.example."))
    client.send(*(query(f"padded{0 if are_cached else i}.example.", use_edns=0, options=padding)
                  for i in range(count)))
    sizes = records_of(client, count)
    assert sum(sizes, []) == [2 + 468] * count
    # The control: one record would not have held them.
    assert len(sizes) > 1 and (not are_cached or len(sizes) == 2)


def test_a_frame_wins_no_time_by_a_slow_answer(forwarder, connect):
    """Which the resolver keeps for much longer."""
    limit(forwarder, frame_max=1000, query_max=60000)
    client = connect()
    client.tls.settimeout(30)
    client.tls.sendall(framed(query("slow.example.").to_wire()) +
                       framed(query("late.example.").to_wire())[:-1])
    begin = time.monotonic()
    with pytest.raises(ssl.SSLError):
        client.tls.recv(1)
    assert time.monotonic() - begin > 0.9
    assert forwarder.status()["closed_slow"] == 1


def test_a_frame_does_not_begin_anew_with_each_answer(forwarder, connect, upstream):
    limit(forwarder, frame_max=3000, query_max=60000)
    count, pause = 40, 0.2

    def one_by_one(server, connection):
        while asked := server.read(connection):
            time.sleep(pause)
            connection.sendall(framed(answer_to(asked).to_wire()))

    def answered(begun: bytes) -> int:
        client = connect()
        client.tls.settimeout(30)
        names = (f"n{i}.{len(begun)}.example." for i in range(count))
        client.tls.sendall(b"".join(framed(query(name).to_wire()) for name in names) + begun)
        for number in range(count):
            try:
                client.answer()
            except ssl.SSLError:
                return number
        return count

    upstream.behave = one_by_one
    assert 0 < answered(framed(query("late.example.").to_wire())[:-1]) < count
    assert forwarder.status()["closed_slow"] == 1
    assert answered(b"") == count, "the control"
