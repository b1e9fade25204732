"""How the forwarder serves DoT and loopback Do53: framing, order, limits, tickets, identities.
Loopback only, no privilege needed."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import subprocess
import time
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from forwarders import (NAME, STRANGER, HalfRecord, KeyUpdates, huge_answer_to, huge_wires, limit,
                        query, session_of)
from upstreams import Authority, answer_to, answers, eventually, framed

CLIENT_SUBNET, KEEPALIVE, PADDING, EXTENDED_ERROR = 8, 11, 12, 15
DNSMASQ_MAC = 65001
PROHIBITED = 18


def option(message: dns.message.Message, code: int) -> bytes | None:
    return next((one.to_wire() for one in message.options if one.otype == code), None)


def test_a_slow_name_does_not_block_the_next(connect, resolver):
    client = connect()
    slow, fast = query("slow.example."), [query(f"fast{i}.example.") for i in range(7)]
    client.send(slow, *fast)
    assert {client.answer().id for _ in fast} == {one.id for one in fast}
    resolver.go.set()
    assert client.answer().id == slow.id


def test_eight_queries_of_one_record_are_answered_in_one_record(connect):
    client = connect()
    queries = [query(f"n{i}.example.") for i in range(8)]
    for one in queries:
        client.ask(one)
    client.send(*queries)
    data = client.tls.recv(65536)  # one record at most
    ids = []
    while data:
        length = struct.unpack("!H", data[:2])[0]
        ids.append(dns.message.from_wire(data[2:2 + length]).id)
        data = data[2 + length:]
    assert ids == [one.id for one in queries]


def test_answers_are_cached_and_keep_the_letter_case(connect, upstream):
    client = connect()
    client.ask(query("cached.example."))
    answer = client.ask(query("CaChEd.ExAmPlE."))
    assert answer.question[0].name.to_text() == "CaChEd.ExAmPlE."
    assert answer.answer[0][0].address == "192.0.2.7"
    assert len(upstream.queries) == 1


def test_the_ttls_of_a_very_long_answer_count_down_too(connect, upstream):
    client = connect()
    fresh = client.ask(query("large.example."))
    time.sleep(2.1)
    cached = client.ask(query("large.example."))
    assert len(upstream.queries) == 1
    assert sum(len(one) for one in cached.answer) == 120
    assert all(one.ttl < fresh.answer[0].ttl for one in cached.answer)


def test_equal_ids_in_flight_are_both_answered(connect, resolver):
    client = connect()
    one, two = query("slow1.example."), query("slow2.example.")
    two.id = one.id
    client.send(one, two)
    resolver.go.set()
    names = {client.answer().question[0].name.to_text() for _ in range(2)}
    assert names == {"slow1.example.", "slow2.example."}


def test_a_frame_in_pieces_is_put_together(connect):
    client = connect()
    wire = framed(query("pieces.example.").to_wire())
    for octet in wire[:-1]:
        client.tls.sendall(bytes([octet]))
    client.tls.sendall(wire[-1:] + framed(query("more.example.").to_wire()))
    assert {client.answer().question[0].name.to_text() for _ in range(2)} == \
        {"pieces.example.", "more.example."}


def test_half_a_record_keeps_nobody_busy(forwarder, ca, connect):
    """Both workers go on serving, and sleep, while the rest of records is awaited."""
    with contextlib.ExitStack() as stack:
        halves = [stack.enter_context(HalfRecord(forwarder.dot, ca.roots)) for _ in range(6)]
        rests = []
        for half in halves:
            record = half.record(query("half.example."))
            half.socket.sendall(record[:20])
            rests.append(record[20:])
        time.sleep(0.2)
        before = forwarder.cpu_seconds()
        time.sleep(1)
        assert forwarder.cpu_seconds() - before < 0.2
        assert connect(source=STRANGER).ask(query("whole.example.")).rcode() == dns.rcode.NOERROR
        for half, rest in zip(halves, rests):
            half.socket.sendall(rest)
            assert half.answer().rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("octets", [b"\0\0", b"\0\x0b" + bytes(11)])
def test_a_frame_of_no_legal_length_ends_the_connection(connect, octets):
    client = connect()
    client.tls.sendall(octets)
    assert client.is_closed()


def test_a_frame_must_be_complete_in_time(forwarder, connect):
    limit(forwarder, frame_max=300)
    client = connect()
    begin = time.monotonic()
    client.tls.sendall(framed(query("late.example.").to_wire())[:-1])
    with pytest.raises(ssl.SSLError):
        client.tls.recv(1)
    assert 0.25 < time.monotonic() - begin < 10
    assert forwarder.status()["closed_slow"] == 1


def test_a_query_octet_by_octet_for_too_long_ends_the_connection(forwarder, connect):
    client = connect(source=STRANGER)
    wire = framed(query("x" * 60 + ".example.").to_wire())
    with pytest.raises((ssl.SSLError, OSError, AssertionError)):
        for octet in wire:
            client.tls.sendall(bytes([octet]))
            time.sleep(0.002)
        client.answer()
    with pytest.raises(OSError):
        connect(source=STRANGER)  # for a minute
    connect()


def test_idle_connections_are_closed_with_close_notify(forwarder, connect):
    limit(forwarder, idle_max=400)
    client = connect()
    client.ask(query("idle.example."))
    begin = time.monotonic()
    assert client.is_closed()
    assert 0.3 < time.monotonic() - begin < 10
    assert forwarder.status()["closed_idle"] == 1


def test_a_connection_with_a_query_in_flight_is_not_idle(forwarder, connect, resolver):
    limit(forwarder, idle_max=300)
    client = connect()
    client.send(query("slow.example."))
    time.sleep(0.8)
    resolver.go.set()
    assert client.answer().rcode() == dns.rcode.NOERROR


def test_keepalive_answers_keepalive_with_the_time_granted(forwarder, connect):
    limit(forwarder, idle_max=12300)
    client = connect()
    asked = query("alive.example.", use_edns=0, options=[dns.edns.GenericOption(KEEPALIVE, b"")])
    assert option(client.ask(asked), KEEPALIVE) == struct.pack("!H", 123)
    assert option(client.ask(query("alive.example.", use_edns=0)), KEEPALIVE) is None


def test_a_keepalive_that_is_filled_in_is_answered_and_ignored(forwarder, connect, tmp_path):
    limit(forwarder, idle_max=12300)
    filled = query("filled.example.", use_edns=0,
                   options=[dns.edns.GenericOption(KEEPALIVE, struct.pack("!H", 7))])
    answer = connect().ask(filled)
    assert answer.answer and option(answer, KEEPALIVE) == struct.pack("!H", 123)
    log = tmp_path / "forwarder.log"
    eventually("it is logged", lambda: "filled in its keepalive" in log.read_text())


@pytest.mark.parametrize("edns", [0, -1])
def test_what_is_only_refused_has_an_opt_exactly_where_it_was_asked_with_one(connect, edns):
    client = connect()
    notify = query("refused.example.", "SOA", use_edns=edns)
    notify.set_opcode(dns.opcode.NOTIFY)
    two = query("refused.example.", use_edns=edns)
    two.question.append(dns.rrset.RRset(two.question[0].name, 1, 28))
    answering = query("refused.example.", use_edns=edns)
    answering.answer.append(dns.rrset.from_text("refused.example.", 60, "IN", "A", "192.0.2.1"))
    for asked, rcode in ((notify, dns.rcode.NOTIMP), (two, dns.rcode.FORMERR),
                         (answering, dns.rcode.FORMERR),
                         (query("refused.example.", "AXFR", use_edns=edns), dns.rcode.REFUSED)):
        answer = client.ask(asked)
        assert (answer.id, answer.rcode(), answer.edns) == (asked.id, rcode, edns)


def test_padding_answers_padding_in_blocks(connect):
    client = connect()
    padded = query("padded.example.", use_edns=0, options=[dns.edns.GenericOption(PADDING, b"")])
    for _ in range(2):  # from upstream, then from the cache
        client.send(padded)
        assert len(client.tls.recv(65536)) == 2 + 468
    assert option(client.ask(query("padded.example.", use_edns=0)), PADDING) is None


def test_at_the_limit_in_flight_reading_stops_and_goes_on(forwarder, connect, resolver):
    limit(forwarder, in_flight_per_connection_max=2)
    client = connect()
    queries = [query(f"slow{i}.example.") for i in range(20)]
    client.send(*queries[:10])
    client.send(*queries[10:])
    resolver.go.set()
    assert {client.answer().id for _ in queries} == {one.id for one in queries}


def test_a_client_over_its_rate_is_refused_and_let_go(forwarder, connect):
    limit(forwarder, queries_per_client_second=1, queries_per_client_burst=5)
    own = connect()
    own.ask(query("rate.example."))
    client = connect(source=STRANGER)
    queries = [query("rate.example.", use_edns=0,
                     options=[dns.edns.GenericOption(KEEPALIVE, b"")]) for _ in range(10)]
    client.send(*queries)
    answers = [client.answer() for _ in range(6)]
    refused = [one for one in answers if one.rcode() == dns.rcode.REFUSED]
    assert len(refused) == 1
    # Who was answered may stay, who is refused is to go (RFC 7828 section 3.2.1).
    assert [struct.unpack("!H", option(one, KEEPALIVE))[0] == 0 for one in answers] == \
        [one is refused[0] for one in answers]
    assert option(refused[0], EXTENDED_ERROR)[:2] == struct.pack("!H", PROHIBITED)
    assert client.is_closed()
    # The router's own probe is never shed.
    assert all(own.ask(one).rcode() == dns.rcode.NOERROR for one in queries)


def test_connections_are_bounded_per_client_but_not_for_the_router_itself(forwarder, connect):
    limit(forwarder, connections_per_client_max=2, connections_max=2)
    first, _ = connect(source=STRANGER), connect(source=STRANGER)
    with pytest.raises(OSError):
        connect(source=STRANGER)
    first.tls.close()
    eventually("its place is free", lambda: forwarder.status()["connections"] == 1)
    connect(source="127.0.0.3")
    with pytest.raises(OSError):
        connect(source="127.0.0.4")
    assert connect().ask(query("own.example.")).rcode() == dns.rcode.NOERROR


def test_who_reads_nothing_is_let_go_and_costs_no_one_else(forwarder, connect):
    limit(forwarder, stalled_max=500, output_bytes_max=20000,
          queries_per_client_burst=1000000, queries_per_client_second=1000000)
    other = connect()
    other.ask(query("large.example."))
    deaf = connect(source=STRANGER)
    deaf.tls.settimeout(0.5)
    with pytest.raises(OSError):
        for _ in range(100000):
            deaf.send(*(query("large.example.") for _ in range(20)))
    assert other.ask(query("other.example.")).rcode() == dns.rcode.NOERROR
    eventually("it is let go", lambda: forwarder.status()["closed_slow"] == 1)


def test_what_was_in_flight_does_not_pile_up_for_who_reads_nothing(forwarder, connect, upstream):
    count = 200
    limit(forwarder, output_bytes_max=20000, in_flight_per_connection_max=count,
          stalled_max=300000)

    def all_at_once(server, connection):
        """Answers when all have asked: 11 MB, more than the kernel takes."""
        asked = [server.read(connection) for _ in range(count)]
        for wire in huge_wires(asked):
            connection.sendall(framed(wire))
        answers(server, connection)

    upstream.behave = all_at_once
    deaf = connect(source=STRANGER)
    deaf.tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.send(*(query(f"huge{i}.example.", "TXT") for i in range(count)))
    # Long before it would count as stalled.
    eventually("it is let go", lambda: forwarder.status()["closed_slow"] == 1)
    # Nor does what was written already: the kernel would keep it for minutes, beyond every limit.
    eventually("it is reset", lambda: unsent_toward(deaf.tls.getsockname()[1]) == 0)
    upstream.behave = answers  # the other worker has a connection of its own
    assert connect().ask(query("other.example.")).rcode() == dns.rcode.NOERROR


def test_alpn_dot_or_none_but_nothing_else(connect):
    assert connect().tls.selected_alpn_protocol() == "dot"
    assert connect(alpn=("h2", "dot")).tls.selected_alpn_protocol() == "dot"
    assert connect(alpn=()).tls.selected_alpn_protocol() is None
    with pytest.raises(ssl.SSLError, match="no application protocol"):
        connect(alpn=("h2",))


def test_tls_1_2_and_1_3_only(connect, ca):
    assert connect(version=ssl.TLSVersion.TLSv1_2).tls.version() == "TLSv1.2"
    assert connect(version=ssl.TLSVersion.TLSv1_3).tls.version() == "TLSv1.3"
    old = ssl.create_default_context(cafile=str(ca.roots))
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning), pytest.raises((ssl.SSLError, OSError)):
        connect(version=ssl.TLSVersion.TLSv1_1, context=old)


def test_nothing_is_answered_in_clear_on_the_encrypted_port(forwarder):
    with socket.create_connection(("127.0.0.1", forwarder.dot), timeout=3) as plain:
        plain.sendall(framed(query("clear.example.").to_wire()))
        data = plain.recv(65536)
    assert data[:1] in (b"", b"\x15")  # nothing, or a TLS alert


def reissue(ca: Authority, identity, folder):
    """Another certificate for the same key."""
    key = serialization.load_pem_private_key(identity[1].read_bytes(), None)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    renewed = folder / "renewed.pem"
    renewed.write_bytes(ca._sign(subject, key.public_key(), NAME).public_bytes(
        serialization.Encoding.PEM))
    return renewed, identity[1]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tickets_survive_a_renewed_certificate_but_not_a_new_key(forwarder, connect, ca, identity,
                                                                 tmp_path, version):
    first = connect(version=version)
    leaf = first.tls.getpeercert(binary_form=True)
    again = connect(version=version, context=first.context, session=session_of(first))
    assert again.tls.session_reused

    renewed = reissue(ca, identity, tmp_path)
    assert forwarder.tell(f"identity {renewed[0]} {renewed[1]}", "apply") == "ok"
    resumed = connect(version=version, context=first.context, session=session_of(again))
    assert resumed.tls.session_reused
    assert connect(version=version).tls.getpeercert(binary_form=True) != leaf

    other = ca.issue("other." + NAME)
    key = serialization.load_pem_private_key(other[1].read_bytes(), None)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    other[0].write_bytes(ca._sign(subject, key.public_key(), NAME).public_bytes(
        serialization.Encoding.PEM))
    assert forwarder.tell(f"identity {other[0]} {other[1]}", "apply") == "ok"
    fresh = connect(version=version, context=first.context, session=session_of(resumed))
    assert not fresh.tls.session_reused
    # Connections keep the identity they began with.
    assert first.ask(query("still.example.")).rcode() == dns.rcode.NOERROR


def test_settings_are_taken_whole_or_not_at_all(forwarder, connect, ca, identity):
    other = ca.issue("another.test")
    refused = forwarder.tell(f"identity {identity[0]} {other[1]}", "limit idle_max 1", "apply")
    assert refused.startswith("error TLS identity: the private key does not belong")
    client = connect()
    assert client.ask(query("kept.example.")).rcode() == dns.rcode.NOERROR
    time.sleep(0.6)
    assert client.ask(query("kept.example.")).rcode() == dns.rcode.NOERROR
    forwarder.tell("roots /dev/null")
    assert forwarder.tell(f"identity {identity[0]} {identity[1]}", "apply").startswith("error")
    assert client.ask(query("kept.example.")).rcode() == dns.rcode.NOERROR


def test_without_an_identity_nobody_is_let_in(forwarder, connect):
    assert forwarder.tell("no-identity", "apply") == "ok"
    with pytest.raises(OSError):
        connect()


def test_new_listeners_keep_old_connections(forwarder, connect):
    client = connect()
    assert forwarder.tell("listen") == "ok"
    assert forwarder.tell("alive") == "ok"
    assert client.ask(query("old.example.")).rcode() == dns.rcode.NOERROR
    assert connect().ask(query("new.example.")).rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("ask", [dns.query.tcp, dns.query.udp])
def test_what_the_companion_asks_never_comes_back_to_it(forwarder, connect, upstream, ask):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as companion:
        companion.bind(("127.0.0.1", 0))
        companion.settimeout(10)
        assert forwarder.tell("local lan", f"companion 127.0.0.1:{companion.getsockname()[1]}",
                              "apply") == "ok"
        for name in ("nas.lan.", "printer.", "1.0.168.192.in-addr.arpa."):
            answer = ask(query(name), "127.0.0.1", port=forwarder.do53, timeout=10)
            assert answer.rcode() == dns.rcode.NXDOMAIN
        client = connect()
        client.send(query("control.lan."))
        wire, sender = companion.recvfrom(4096)
        asked = dns.message.from_wire(wire)
        assert asked.question[0].name.to_text() == "control.lan.", "it came back"
        companion.sendto(answer_to(asked).to_wire(), sender)
        assert client.answer().answer
    assert upstream.queries == []


def test_status_counts(forwarder, connect):
    client = connect(source=STRANGER)
    for _ in range(3):
        client.ask(query("counted.example."))
    status = forwarder.status()
    assert status["serving"] == 1 and status["connections"] == 1 and status["clients"] == 1
    assert status["dot_queries"] == 3 and status["cache_hits"] == 2
    assert forwarder.tell("flush") == "ok"
    assert forwarder.status()["cache_entries"] == 0


def test_the_routers_own_questions_are_no_hosts(forwarder, connect):
    connect().ask(query("probe.example."))
    status = forwarder.status()
    assert status["dot_queries"] == 1 and status["clients"] == 0 and status["asked"] == 0
    connect(source=STRANGER).ask(query("probe.example."))
    status = forwarder.status()
    assert status["clients"] == 1 and status["asked"] == 1


class TestErrors:
    def test_opcode_class_transfer_and_any(self, connect):
        client = connect()
        notify = query("n.example.")
        notify.set_opcode(dns.opcode.NOTIFY)
        assert client.ask(notify).rcode() == dns.rcode.NOTIMP
        chaos = dns.message.make_query("version.bind.", "TXT", "CH")
        assert client.ask(chaos).rcode() == dns.rcode.REFUSED
        assert client.ask(query("n.example.", "AXFR")).rcode() == dns.rcode.REFUSED
        small = client.ask(query("n.example.", "ANY"))
        assert [one.rdtype for one in small.answer] == [dns.rdatatype.HINFO]

    def test_edns_version_one_is_bad(self, connect):
        client = connect()
        later = query("n.example.", use_edns=0)
        later.ednsflags |= 1 << 16
        answer = client.ask(later)
        assert answer.rcode() == dns.rcode.BADVERS and answer.edns == 0


@pytest.mark.parametrize("name", ["name.onion", "name.invalid", "nas", "name.home.arpa", "localhost"])
def test_kdig_reads_what_is_said_of_names_that_never_leave(forwarder, ca, name):
    said = subprocess.run(["kdig", "@127.0.0.1", "-p", str(forwarder.dot), f"+tls-ca={ca.roots}",
                           f"+tls-hostname={NAME}", name, "TXT"], capture_output=True, text=True, timeout=60)
    assert ";; ERROR:" not in said.stdout + said.stderr
    status = "NOERROR" if name == "localhost" else "NXDOMAIN"
    assert f"status: {status}" in said.stdout and "nobody.invalid." in said.stdout


class TestDo53:
    def test_udp_and_tcp_answer_on_loopback(self, forwarder, upstream):
        asked = query("companion.example.")
        for ask in (dns.query.udp, dns.query.tcp):
            answer = ask(asked, "127.0.0.1", port=forwarder.do53, timeout=3)
            assert answer.answer[0][0].address == "192.0.2.7"
        assert dns.query.udp(asked, "::1", port=forwarder.do53, timeout=3).answer
        assert len(upstream.queries) == 1

    def test_what_udp_cannot_carry_comes_over_tcp(self, forwarder):
        asked = query("large.example.")
        cut = dns.query.udp(asked, "127.0.0.1", port=forwarder.do53, timeout=3)
        assert cut.flags & dns.flags.TC and not cut.answer
        whole = dns.query.tcp(asked, "127.0.0.1", port=forwarder.do53, timeout=3)
        assert len(whole.answer[0]) == 120

    def test_a_client_that_closes_its_half_still_hears_its_answers(self, forwarder, resolver):
        with socket.create_connection(("127.0.0.1", forwarder.do53), timeout=3) as client:
            asked = query("slow.example.")
            client.sendall(framed(asked.to_wire()))
            client.shutdown(socket.SHUT_WR)
            time.sleep(0.2)
            resolver.go.set()
            data = b""
            while more := client.recv(65536):
                data += more
        assert dns.message.from_wire(data[2:]).id == asked.id

    def test_what_dnsmasq_adds_of_its_client_goes_no_further(self, forwarder, upstream):
        said = [dns.edns.ECSOption("192.168.77.42", 32),          # add-subnet
                dns.edns.GenericOption(DNSMASQ_MAC, b"\2\0\0\0\0\1")]  # add-mac
        asked = query("subnet.example.", use_edns=0, options=said)
        # The control: the octets of the query hold both.
        assert {int(each.otype) for each in dns.message.from_wire(asked.to_wire()).options} == \
            {CLIENT_SUBNET, DNSMASQ_MAC}
        answer = dns.query.udp(asked, "127.0.0.1", port=forwarder.do53, timeout=3)
        assert answer.answer and option(answer, CLIENT_SUBNET) is None
        asked_on = upstream.queries[-1]
        assert asked_on.question == asked.question
        assert {int(each.otype) for each in asked_on.options} <= {KEEPALIVE, PADDING}

    def test_no_padding_in_clear(self, forwarder):
        asked = query("clear.example.", use_edns=0, options=[dns.edns.GenericOption(PADDING, b"")])
        answer = dns.query.udp(asked, "127.0.0.1", port=forwarder.do53, timeout=3)
        assert option(answer, PADDING) is None

    def test_what_it_asked_before_it_closed_its_half_is_all_answered(self, forwarder, upstream):
        """Also what had to wait until it read."""
        def huge(server, connection):
            while asked := server.read(connection):
                connection.sendall(framed(huge_answer_to(asked).to_wire(max_size=65535)))

        upstream.behave = huge
        limit(forwarder, output_bytes_max=4096)
        count = 100  # one read, and answers of 5.5 MB: more than the kernel takes
        asked = query("huge.example.", "TXT")
        dns.query.tcp(asked, "127.0.0.1", port=forwarder.do53, timeout=3)  # known from now on
        with socket.create_connection(("127.0.0.1", forwarder.do53), timeout=10) as client:
            client.sendall(framed(asked.to_wire()) * count)
            client.shutdown(socket.SHUT_WR)
            time.sleep(0.5)
            data = b""
            while more := client.recv(65536):
                data += more
        assert data.count(asked.to_wire()[:2] + b"\x81") == count


class TestAskingNothing:
    """Clients that keep TLS busy and ask nothing."""

    def test_a_record_octet_by_octet_ends_the_connection(self, forwarder, ca, connect):
        with HalfRecord(forwarder.dot, ca.roots, STRANGER) as half:
            half.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Long enough for a busy machine, which reads several at once.
            record = half.record(*(query("x" * 60 + ".example.") for _ in range(100)))
            with pytest.raises(OSError):
                for octet in record[:-1]:
                    half.socket.sendall(bytes([octet]))
                    time.sleep(0.005)
                assert half.socket.recv(1), "closed"
                raise ConnectionError
        assert forwarder.status()["closed_broken"] == 1
        with pytest.raises(OSError):
            connect(source=STRANGER)  # for a minute

    def test_pieces_of_a_record_are_no_sign_of_life(self, forwarder, ca):
        limit(forwarder, idle_max=1000)
        with HalfRecord(forwarder.dot, ca.roots) as half:
            record = half.record(query("half.example."))
            begin = time.monotonic()
            with pytest.raises(OSError):
                for octet in record[:20]:
                    half.socket.sendall(bytes([octet]))
                    time.sleep(0.2)
            assert time.monotonic() - begin < 10
        assert forwarder.status()["closed_idle"] == 1

    def test_key_updates_without_end_keep_nobody_busy(self, forwarder, connect):
        with KeyUpdates(forwarder.dot, STRANGER) as zealous:
            end = time.monotonic() + 5
            sent = 0
            while zealous.send() and time.monotonic() < end:
                sent += 1
            assert sent > 50, "the control: some are taken"
            eventually("it rests", forwarder.rests, 5)
        assert connect().ask(query("whole.example.")).rcode() == dns.rcode.NOERROR

    def test_who_is_gone_while_something_is_looked_up_wakes_nobody(self, forwarder, resolver):
        for piece in (b"", b"\0"):  # of another frame
            with socket.create_connection(("127.0.0.1", forwarder.do53), timeout=5) as client:
                client.sendall(framed(query("slow.example.").to_wire()) + piece)
                time.sleep(0.2)
                client.shutdown(socket.SHUT_WR)
                time.sleep(0.2)
                # Closing is a reset, which stays to be seen for who does not read.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            eventually("it rests", forwarder.rests, 5)

    def test_answers_on_a_slow_way_outlive_the_time_to_idle(self, forwarder, connect):
        limit(forwarder, idle_max=300, stalled_max=3000)
        slow = connect(source=STRANGER)
        slow.ask(query("large.example."))
        slow.tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        for _ in range(12):
            slow.send(query("large.example."))
        time.sleep(1)
        for _ in range(12):
            assert slow.answer().rcode() == dns.rcode.NOERROR
        assert slow.is_closed()


def unsent_toward(port: int) -> int:
    """Octets that this machine's kernel still holds for a client, whoever owns the socket."""
    lines = [line.split() for table in ("tcp", "tcp6")
             for line in Path("/proc/net", table).read_text().splitlines()[1:]]
    return sum(int(fields[4].split(":")[0], 16) for fields in lines
               if fields[2].endswith(f":{port:04X}"))
