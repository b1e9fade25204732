"""Who is one client, and who gets a place where there are too few. Loopback only, no privilege."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time

import dns.edns
import dns.rcode
import pytest

from doh_clients import H2Client
from forwarders import STRANGER, Client, limit, query, session_of
from upstreams import answer_to, eventually, framed

OTHER, THIRD = "127.0.0.3", "127.0.0.4"
HOST, NEIGHBOUR = "02:00:5e:10:00:01", "02:00:5e:10:00:02"


def tell_of(forwarder, **macs: str) -> None:
    assert forwarder.tell(*(f"neighbour {address} {mac}" for address, mac in macs.items()),
                          "neighbours") == "ok"
    forwarder.status()  # the channel keeps its order: they are known then


def is_served(client: Client) -> bool:
    return client.ask(query("served.example.")).rcode() == dns.rcode.NOERROR


def met(forwarder, limit: str) -> int:
    return forwarder.status()[f"limit_{limit}"]


def half_open(forwarder, source: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", forwarder.dot), timeout=5,
                                    source_address=(source, 0))


def is_let_in(waiting: socket.socket) -> bool:
    """Nobody speaks before the client does; one that is not let in is closed at once."""
    waiting.settimeout(0.3)
    try:
        return waiting.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def test_a_host_of_two_addresses_is_one_client(forwarder, connect):
    limit(forwarder, connections_per_client_max=2)
    tell_of(forwarder, **{STRANGER: HOST, OTHER: HOST, THIRD: NEIGHBOUR})
    first, second = connect(source=STRANGER), connect(source=OTHER)
    with pytest.raises(OSError):
        connect(source=STRANGER)
    assert met(forwarder, "connections_client") == 1
    assert is_served(first) and is_served(second)
    assert is_served(connect(source=THIRD))
    assert forwarder.status()["clients"] == 2


def test_what_a_host_had_too_many_before_it_was_known_is_closed(forwarder, connect):
    limit(forwarder, connections_per_client_max=2)
    early = [connect(source=STRANGER), connect(source=STRANGER),
             connect(source=OTHER), connect(source=OTHER)]
    assert all(is_served(client) for client in early)
    tell_of(forwarder, **{STRANGER: HOST, OTHER: HOST})
    assert early[0].is_closed() and early[1].is_closed()
    assert is_served(early[2]) and is_served(early[3])
    assert met(forwarder, "shed") == 2
    with pytest.raises(OSError):
        connect(source=OTHER)


def test_a_prefix_is_bounded_for_who_is_no_neighbour(forwarder, connect):
    limit(forwarder, connections_per_prefix_max=2)
    tell_of(forwarder, **{THIRD: NEIGHBOUR})
    connect(source=STRANGER), connect(source=OTHER)
    with pytest.raises(OSError):
        connect(source="127.0.0.5")
    assert met(forwarder, "connections_prefix") == 1
    assert is_served(connect(source=THIRD))
    assert is_served(connect(source="127.0.1.5"))


def test_a_lighter_client_gets_a_place_of_the_heaviest(forwarder, connect):
    limit(forwarder, connections_max=4)
    heavy = [connect(source=STRANGER) for _ in range(4)]
    assert is_served(heavy[1]) and is_served(heavy[0])  # 2 and 3 asked nothing; 2 came first
    assert is_served(connect(source=OTHER))
    assert heavy[2].is_closed()
    assert is_served(connect(source=OTHER))
    assert heavy[3].is_closed()
    assert is_served(heavy[0]) and is_served(heavy[1])
    with pytest.raises(OSError):
        connect(source=OTHER)  # nobody is heavier than he would be
    assert met(forwarder, "shed") == 2 and met(forwarder, "connections_all") == 1
    assert is_served(connect())  # the router itself


def test_who_holds_most_memory_gives_it_to_a_newcomer(forwarder, connect):
    limit(forwarder, memory_mib=4, output_bytes_max=2**20, queries_per_client_burst=10**6,
          queries_per_client_second=10**6)
    room = forwarder.status()["connection_octets_max"]
    assert room == 2**22 // 28 * 10
    quiet = connect(source=OTHER)
    assert is_served(quiet)
    few = forwarder.status()["connection_octets"]
    assert 0 < few < 100_000
    # Somebody asks for much and reads nothing: each may leave 1 MiB unread, all of them not.
    large = framed(query("large.example.").to_wire()) * 20
    for one in [connect(source=STRANGER) for _ in range(4)]:
        one.tls.settimeout(0.5)
        with contextlib.suppress(OSError):
            for _ in range(100_000):
                one.tls.sendall(large)
        assert forwarder.status()["connection_octets"] <= room
    assert met(forwarder, "shed") > 0
    assert is_served(quiet) and is_served(connect(source=THIRD))


def test_handshakes_that_are_not_done_are_bounded(forwarder, connect):
    limit(forwarder, unfinished_per_client_max=2, handshake_max=4000)
    waiting = [half_open(forwarder, STRANGER) for _ in range(3)]
    assert [is_let_in(one) for one in waiting].count(True) == 2
    assert met(forwarder, "unfinished_client") == 1
    assert is_served(connect(source=OTHER))
    for one in waiting:
        one.close()
    # Who gives up keeps his place for as long as if he had not.
    assert not is_let_in(half_open(forwarder, STRANGER))
    eventually("failures are forgotten", lambda: is_let_in(half_open(forwarder, STRANGER)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_handshakes_have_a_rate_and_those_with_tickets_another(forwarder, connect, version):
    limit(forwarder, full_handshakes_per_client_burst=2, full_handshakes_per_client_second=1)
    first = connect(source=STRANGER, version=version)
    ticket = session_of(first)
    connect(source=STRANGER, version=version)

    def is_refused() -> bool:
        try:
            connect(source=STRANGER, version=version)
        except OSError:
            return True
        return False

    eventually("it is over its rate", is_refused)
    for _ in range(10):
        is_refused()
    assert met(forwarder, "full_handshakes_client") > 0
    # Being refused is no failure, of which there may be eight, and a ticket costs little.
    again = connect(source=STRANGER, version=version, context=first.context, session=ticket)
    assert again.tls.session_reused and is_served(again)
    assert is_served(connect(source=OTHER, version=version))
    for _ in range(3):
        assert is_served(connect(version=version))


KEEPALIVE = 11
HOUR_MS = 3600 * 1000


def granted(client: Client) -> int:
    """What it hears of how long it may idle (RFC 7828 section 3.1), in units of 100 ms."""
    options = [dns.edns.GenericOption(KEEPALIVE, b"")]
    answer = client.ask(query("alive.example.", use_edns=0, options=options))
    return next(int.from_bytes(one.to_wire(), "big") for one in answer.options
                if one.otype == KEEPALIVE)


@pytest.mark.parametrize("over", ["DoT", "DoH"])
def test_who_idles_has_less_time_as_places_run_out(forwarder, connect, ca, over):
    limit(forwarder, connections_max=10, idle_max=HOUR_MS, doh_idle_max=HOUR_MS)
    asking = connect()  # the router's own, which takes nobody's place
    clients: list[Client | H2Client] = []

    def idle(count: int) -> None:
        while len(clients) < count:
            source = f"127.0.3.{1 + len(clients)}"
            clients.append(connect(source=source) if over == "DoT" else
                           H2Client(forwarder.doh, ca.roots, source=source))

    heard = []
    for count in (5, 6, 8):
        idle(count)
        status = forwarder.status()
        heard.append((status["connections"] + status["doh"], granted(asking)))
    whole = HOUR_MS // 100
    assert heard == [(6, whole), (7, whole // 4), (9, whole // 20)]  # with the router's own
    assert forwarder.status()["closed_idle"] == 0, "the control: there was time"
    idle(9)
    # Within seconds, and not in an hour; then there is room again.
    eventually("some are gone", lambda: forwarder.status()["closed_idle"] > 0)
    for client in clients:
        client.tls.close()


def test_questions_that_wait_are_bounded_by_client(forwarder, connect, resolver):
    limit(forwarder, in_flight_per_client_max=3)
    one, two = connect(source=STRANGER), connect(source=STRANGER)
    one.send(query("slow1.example."), query("slow2.example."))
    eventually("they wait", lambda: forwarder.status()["upstream_questions"] == 2)
    two.send(query("slow3.example."), query("slow4.example."))
    assert two.answer().rcode() == dns.rcode.REFUSED
    assert met(forwarder, "in_flight_client") == 1
    other = connect(source=OTHER)
    other.send(query("slow5.example."))
    resolver.go.set()
    assert two.answer().rcode() == dns.rcode.NOERROR
    assert two.is_closed()
    assert {one.answer().rcode(), one.answer().rcode()} == {dns.rcode.NOERROR}
    assert other.answer().rcode() == dns.rcode.NOERROR
    assert is_served(one)


def test_a_stale_answer_gives_no_place_back_while_it_is_looked_for(forwarder, connect, upstream):
    limit(forwarder, in_flight_per_client_max=2, query_max=60000)
    silent = threading.Event()

    def short_lived(server, connection):
        while (asked := server.read(connection)) is not None:
            if not silent.is_set():
                connection.sendall(framed(answer_to(asked, ttl=1).to_wire()))

    upstream.behave = short_lived
    client = connect(source=STRANGER)
    names = [query(f"{name}.example.") for name in "abc"]
    for name in names:
        assert client.ask(name).answer
    silent.set()
    time.sleep(2.5)  # then none of it is true any more
    client.send(*names[:2])
    assert all(client.answer().answer for _ in range(2))
    assert client.ask(names[2]).rcode() == dns.rcode.REFUSED
    assert met(forwarder, "in_flight_client") == 1
    # The control: it has a stale answer too.
    assert connect(source=OTHER).ask(names[2]).answer


def test_who_is_blocked_is_told_and_may_be_let_in(forwarder, connect):
    client = connect(source=STRANGER)
    with contextlib.suppress(OSError):
        for octet in framed(query("x" * 60 + ".example.").to_wire()):
            client.tls.sendall(bytes([octet]))
            time.sleep(0.002)
    eventually("it is blocked", lambda: forwarder.status()["bans"] == 1)
    with pytest.raises(OSError):
        connect(source=STRANGER)
    assert met(forwarder, "blocked") == 1
    assert forwarder.tell("let-in") == "ok"
    assert forwarder.status()["bans"] == 0
    assert is_served(connect(source=STRANGER))
