"""Answers that one device hears and others don't never cross over, however they are come by. Loopback
only, no privilege."""

from __future__ import annotations

import dns.message
import dns.query
import dns.rcode
import pytest

from doh_clients import H2Client
from forwarders import STRANGER, query
from upstreams import answer_to, eventually, framed

OTHER, THIRD, UNKNOWN = "127.0.0.3", "127.0.0.4", "127.0.0.5"
EXCEPTED, TWIN, PLAIN = "02:00:5e:10:00:01", "02:00:5e:10:00:02", "02:00:5e:10:00:03"
INWARD = "192.168.7.7"


@pytest.fixture
def resolver(resolver):
    """Leads into the home below inward.example, and there alone."""
    send = resolver._send

    def lies(connection, asked):
        if not asked.question[0].name.to_text().endswith("inward.example."):
            return send(connection, asked)
        with resolver._writing:
            connection.sendall(framed(answer_to(asked, INWARD).to_wire()))

    resolver._send = lies
    return resolver


@pytest.fixture
def told(forwarder):
    assert forwarder.tell(f"allow-device {EXCEPTED} inward.example",
                          f"allow-device {TWIN} inward.example", "apply",
                          f"neighbour {STRANGER} {EXCEPTED}", f"neighbour {OTHER} {TWIN}",
                          f"neighbour {THIRD} {PLAIN}", "neighbours") == "ok"
    forwarder.status()  # the channel keeps its order: they are known then
    return forwarder


def led_to(answer: dns.message.Message) -> list[str]:
    assert answer.rcode() == dns.rcode.NOERROR
    return [record.to_text() for rrset in answer.answer for record in rrset]


def leads(client, name: str) -> list[str]:
    return led_to(client.ask(query(name)))


def test_an_exception_is_its_devices_alone_whoever_asks_first(told, connect):
    excepted, twin = connect(source=STRANGER), connect(source=OTHER)
    plain, unknown = connect(source=THIRD), connect(source=UNKNOWN)
    for name, first, second in (("a.inward.example.", excepted, plain),
                                ("b.inward.example.", plain, excepted)):
        before = told.status()["upstream_questions"]
        for client in (first, second, first, second):
            assert leads(client, name) == ([INWARD] if client is excepted else [])
        assert leads(twin, name) == [INWARD] and leads(unknown, name) == []
        # Kept for each view, and shared within it: the control of what stays apart.
        assert told.status()["upstream_questions"] == before + 2
    assert leads(excepted, "outside.example.") == leads(plain, "outside.example.") != []


def test_questions_in_flight_are_merged_within_a_view_alone(told, connect, resolver):
    clients = [connect(source=source) for source in (THIRD, STRANGER, OTHER, UNKNOWN)]
    for client in clients:
        client.send(query("slow.inward.example."), query("slow.inward.example."))

    def waiting() -> tuple[int, int]:
        status = told.status()
        return status["upstream_questions"], status["merged"]

    eventually("all wait", lambda: sum(waiting()) == 8)
    # The second question of each joined the first, whichever worker it came to.
    assert 2 <= waiting()[0] <= 4 <= waiting()[1]
    resolver.go.set()
    for client, wanted in zip(clients, ([], [INWARD], [INWARD], [])):
        assert led_to(client.answer()) == led_to(client.answer()) == wanted


def test_a_device_is_excepted_as_soon_as_it_is_known(told, connect):
    early = connect(source=UNKNOWN)
    assert leads(early, "early.inward.example.") == []
    told.tell(f"neighbour {UNKNOWN} {EXCEPTED}", "neighbours")
    told.status()
    assert leads(early, "early.inward.example.") == [INWARD]


def test_other_settings_take_an_exception_back_on_a_connection_that_stays(told, connect):
    client = connect(source=STRANGER)
    assert leads(client, "a.inward.example.") == [INWARD]
    assert told.tell("no-devices", "apply") == "ok"
    assert leads(client, "a.inward.example.") == []


def test_an_exception_counts_over_https_and_never_for_who_asks_dnsmasq(told, ca):
    for source, wanted in ((STRANGER, [INWARD]), (THIRD, [])):
        client = H2Client(told.doh, ca.roots, source=source)
        assert led_to(client.ask(query("a.inward.example."))) == wanted
        client.close()
    plain = dns.query.udp(query("a.inward.example."), "127.0.0.1", port=told.do53, timeout=10)
    assert led_to(plain) == []
