"""What the forwarder notes of questions, and of whom; and what its workers know in common. Loopback only,
no privilege."""

from __future__ import annotations

import dns.message
import dns.query
import dns.rcode
import pytest

from doh_clients import H2Client
from forwarders import STRANGER, Client, limit, query
from upstreams import eventually

OTHER, UNKNOWN = "127.0.0.3", "127.0.1.5"
HOST = "02:00:5e:10:00:01"
DO53, DOT, DOH = "0", "1", "2"
OWN, CACHED, LOOKED_UP, REFUSED, MALFORMED = "0", "1", "2", "3", "4"


def noted(forwarder) -> list[list[str]]:
    """Newest first: transport, outcome, rcode, extended error, type, name, family, pseudonym, network."""
    return [one.split(",") for one in forwarder.tell("queries").split()[1:]]


def level(forwarder, word: str) -> None:
    assert forwarder.tell(f"query-log {word}", "apply") == "ok"


def test_nothing_is_noted_unless_somebody_wants_it(forwarder, connect):
    client = connect(source=STRANGER)
    client.ask(query("before.example."))
    assert noted(forwarder) == []
    level(forwarder, "counters")
    client.ask(query("counted.example."))
    assert noted(forwarder) == []
    level(forwarder, "names")  # the control
    client.ask(query("after.example."))
    assert [one[5] for one in noted(forwarder)] == ["after.example."]
    level(forwarder, "off")
    assert noted(forwarder) == []
    level(forwarder, "names")
    assert noted(forwarder) == []  # gone, and not only hidden


def test_each_outcome_is_noted_with_the_way_it_came(forwarder, connect, ca):
    level(forwarder, "names")
    client = connect(source=STRANGER)
    client.ask(query("a.example."))
    client.ask(query("A.Example.", "AAAA"))
    client.ask(query("a.example."))
    client.ask(query("localhost."))
    doh = H2Client(forwarder.doh, ca.roots, source=STRANGER)
    doh.ask(query("a.example."))
    doh.close()
    dns.query.udp(query("a.example."), "127.0.0.1", port=forwarder.do53, timeout=10)
    dns.query.udp(dns.message.make_query("bad.example.", "AXFR"), "127.0.0.1",
                  port=forwarder.do53, timeout=10)
    wanted = [[DOT, LOOKED_UP, "0", "0", "1", "a.example."],
              [DOT, LOOKED_UP, "0", "0", "28", "a.example."],
              [DOT, CACHED, "0", "0", "1", "a.example."],
              [DOT, OWN, "0", "0", "1", "localhost."],
              [DOH, CACHED, "0", "0", "1", "a.example."],
              [DO53, CACHED, "0", "0", "1", "a.example."],
              [DO53, MALFORMED, "5", "0", "252", "bad.example."]]
    # They came to different workers, and within a second in no order.
    eventually("all are noted",
               lambda: sorted(one[:6] for one in noted(forwarder)) == sorted(wanted))
    assert all(one[6:] == ["0", "0", "0" * 14] for one in noted(forwarder))


def test_what_is_refused_for_its_rate_is_noted_too(forwarder, connect):
    level(forwarder, "names")
    limit(forwarder, queries_per_client_burst=1, queries_per_client_second=1)
    client = connect(source=STRANGER)
    client.send(*(query("many.example.") for _ in range(20)))
    assert {client.answer().rcode() for _ in range(2)} == {dns.rcode.NOERROR, dns.rcode.REFUSED}
    eventually("it is noted", lambda: REFUSED in [one[1] for one in noted(forwarder)])
    assert ["1", REFUSED, "5", "18", "1", "many.example."] in [one[:6] for one in noted(forwarder)]


def test_who_asked_is_a_pseudonym_and_a_network_and_only_in_full(forwarder, connect):
    level(forwarder, "full")
    assert forwarder.tell(f"neighbour {STRANGER} {HOST}", f"neighbour {OTHER} {HOST}",
                          "neighbours") == "ok"
    forwarder.status()
    for number, source in enumerate((STRANGER, OTHER, UNKNOWN)):
        connect(source=source).ask(query(f"n{number}.example."))
    connect().ask(query("own.example."))  # the router's own probes are nobody's question
    who = {one[5]: one[6:] for one in noted(forwarder)}
    assert set(who) == {"n0.example.", "n1.example.", "n2.example."}
    assert who["n0.example."] == who["n1.example."]  # one host, whatever its address
    assert who["n0.example."][1] != who["n2.example."][1]
    assert [who[name][0::2] for name in sorted(who)] == [
        ["4", "7f000000000000"], ["4", "7f000000000000"], ["4", "7f000100000000"]]


@pytest.fixture
def failing(resolver):
    """Says SERVFAIL below fails.example."""
    send = resolver._send

    def fails(connection, asked):
        if not asked.question[0].name.to_text().endswith("fails.example."):
            return send(connection, asked)
        response = dns.message.make_response(asked)
        response.set_rcode(dns.rcode.SERVFAIL)
        wire = response.to_wire()
        with resolver._writing:
            connection.sendall(len(wire).to_bytes(2, "big") + wire)

    resolver._send = fails


def test_what_failed_on_one_worker_is_not_asked_again_by_another(failing, forwarder, connect,
                                                                 upstream):
    assert forwarder.tell("failure-ttl 300", "apply") == "ok"
    clients: list[Client] = []

    def both_workers_ask() -> bool:
        clients.append(connect())
        clients[-1].ask(query(f"n{len(clients)}.example."))
        return upstream.connections == 2  # each has one of its own

    eventually("both workers have clients", both_workers_ask)
    answers = [client.ask(query("a.fails.example.")).rcode() for client in clients]
    assert answers == [dns.rcode.SERVFAIL] * len(clients)
    # Of silence it may have been sent more than once; nobody asked for it but once.
    assert "a.fails.example." in [asked.question[0].name.to_text() for asked in upstream.queries]
    assert forwarder.status()["upstream_questions"] == len(clients) + 1
    assert forwarder.status()["failures_recent"] == len(clients) - 1


def test_a_long_report_comes_whole(forwarder, connect):
    level(forwarder, "names")
    limit(forwarder, queries_per_client_burst=100_000, in_flight_per_connection_max=64)
    client = connect(source=STRANGER)
    name = "x" * 60
    for _ in range(40):
        client.send(*(query(f"{name}.{name}.example.") for _ in range(50)))
        for _ in range(50):
            client.answer()
    assert len(noted(forwarder)) == 2000
