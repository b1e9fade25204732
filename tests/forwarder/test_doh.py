"""How the forwarder serves DNS over HTTPS: statuses, fields, streams, limits and floods. Loopback only,
no privilege needed."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import subprocess
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import h2.settings
import pytest
from hyperframe import frame

from doh_clients import MESSAGE, FrameClient, H2Client, curl, get
from floods import headers_without_end, rapid_reset
from forwarders import STRANGER, Client, huge_answer_to, limit, query
from upstreams import answer_to, eventually, framed

CLIENT_SUBNET, KEEPALIVE, PADDING = 8, 11, 12
ENHANCE_YOUR_CALM = 11
MANY_HANDSHAKES = {"full_handshakes_per_client_second": 100000,
                   "full_handshakes_per_client_burst": 100000}


@pytest.fixture
def connect(forwarder, ca):
    clients = []

    def connection(**options) -> H2Client:
        clients.append(H2Client(forwarder.doh, ca.roots, **options))
        return clients[-1]

    yield connection
    for client in clients:
        client.close()


def post(client: H2Client, body: bytes, path: str = "/dns-query", **headers: str):
    return client.fetch(path, "POST", body, content_type=MESSAGE, **headers)


ASKED = query("status.example.")
TOO_LONG = "/dns-query?dns=" + "A" * 16400
REFUSED = {
    "another path": (404, lambda one: one.fetch("/other?dns=AAAB")),
    "another method": (405, lambda one: one.fetch(get(ASKED), "PUT", b"x")),
    "the head alone": (405, lambda one: one.fetch(get(ASKED), "HEAD")),
    "no message": (400, lambda one: one.fetch("/dns-query")),
    "no base64url": (400, lambda one: one.fetch("/dns-query?dns=AA+B")),
    "less than a header": (400, lambda one: one.fetch("/dns-query?dns=AAAB")),
    "a response": (400, lambda one: one.fetch(get(dns.message.make_response(ASKED)))),
    "an empty body": (400, lambda one: post(one, b"")),
    "another media type": (415, lambda one: one.fetch(
        "/dns-query", "POST", ASKED.to_wire(), content_type="application/json")),
    "a body that is said to be too large": (413, lambda one: post(one, bytes(65536),
                                                                  content_length="65536")),
    "a body that is too large": (413, lambda one: post(one, bytes(65536))),
    "something else accepted": (406, lambda one: one.fetch(get(ASKED),
                                                           accept="application/dns-json")),
    "too long a URL": (414, lambda one: one.fetch(TOO_LONG)),
    "too many fields": (431, lambda one: one.fetch(get(ASKED), cookie="x" * 16400)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_question_has_a_status_of_its_own(connect, forwarder, what):
    status, ask = REFUSED[what]
    client = connect()
    refused = ask(client)
    assert refused.status == status
    assert refused.body == b"" and refused.headers["content-length"] == "0"
    assert refused.headers.get("allow") == ("GET, POST" if status == 405 else None)
    # The same connection goes on: nothing was wrong with it.
    assert client.ask(ASKED).answer[0][0].address == "192.0.2.7"
    assert post(client, ASKED.to_wire(), content_length=str(len(ASKED.to_wire()))).message.answer
    assert forwarder.status()["doh_bad_requests"] == 1


def test_curl_gets_the_same_by_get_and_post_on_every_path(forwarder, ca):
    asked = query("curl.example.")
    for path in ("/dns-query", "/tv"):
        for response in (curl(forwarder.doh, ca.roots, get(asked, path)),
                         curl(forwarder.doh, ca.roots, path, "--data-binary", "@-", "-H",
                              f"content-type: {MESSAGE}", body=asked.to_wire())):
            assert response.headers["version"] == "HTTP/2"
            assert response.message.answer[0][0].address == "192.0.2.7"
            assert response.message.id == asked.id
    assert curl(forwarder.doh, ca.roots, get(asked, "/else")).status == 404


WORTHLESS_BODIES = {404: ("/else", MESSAGE, ASKED.to_wire()),
                    415: ("/dns-query", "text/plain", bytes(40000)),
                    413: ("/dns-query", MESSAGE, bytes(65536))}


@pytest.mark.parametrize("status", WORTHLESS_BODIES)
def test_curl_hears_what_was_wrong_with_a_body(forwarder, ca, status):
    """Although that was known before the body."""
    path, kind, body = WORTHLESS_BODIES[status]
    response = curl(forwarder.doh, ca.roots, path, "--data-binary", "@-",
                    "-H", f"content-type: {kind}", body=body)
    assert (response.headers["version"], response.status) == ("HTTP/2", status)


@pytest.mark.parametrize("path, status", [("/else", "404"), ("/dns-query", "100")])
def test_who_asks_whether_to_send_a_body_is_told(forwarder, ca, path, status):
    """Also where he would wait for longer than our patience lasts."""
    said = curl(forwarder.doh, ca.roots, path, "--data-binary", "@-", "-H", f"content-type: {MESSAGE}",
                "-H", "Expect: 100-continue", "--expect100-timeout", "60", body=ASKED.to_wire())
    assert said.headers["version"] == "HTTP/2" and said.headers[":status"] == status
    if status == "100":
        assert said.body.startswith(b"HTTP/2 200")
    assert forwarder.status()["closed_slow"] == 0


def test_padding_around_a_worthless_body_is_no_way_to_wait_for_us(connect):
    client = connect()
    stream = client.request("/else", "POST", b"", ends=False, content_type=MESSAGE)
    while (window := client.http.local_flow_control_window(stream)) > 257:
        client.http.send_data(stream, b"x", pad_length=255)
    client.http.send_data(stream, bytes(window))
    client.flush()
    assert client.response(stream).status == 404


def test_whatever_dns_answers_is_ok_for_http(connect, upstream):
    def fails(server, connection):
        while asked := server.read(connection):
            response = dns.message.make_response(asked)
            response.set_rcode(dns.rcode.SERVFAIL if "broken" in str(asked.question[0].name)
                               else dns.rcode.NXDOMAIN)
            connection.sendall(framed(response.to_wire()))

    upstream.behave = fails
    client = connect()
    for name, rcode in (("broken.example.", dns.rcode.SERVFAIL), ("no.example.", dns.rcode.NXDOMAIN)):
        response = client.fetch(get(query(name)))
        assert response.message.rcode() == rcode
        assert response.max_age == 0
    assert client.ask(query("localhost.")).answer[0][0].address == "127.0.0.1"


def test_an_answer_is_fresh_for_its_least_ttl(connect, upstream):
    def several(server, connection):
        while asked := server.read(connection):
            name = asked.question[0].name
            response = answer_to(asked, ttl=100)
            if "none" in name.to_text():
                response.answer = []
                response.authority.append(dns.rrset.from_text(
                    "example.", 90, "IN", "SOA", "ns.example. root.example. 1 2 3 4 50"))
            elif "chain" in name.to_text():
                response.answer = [dns.rrset.from_text(name, 30, "IN", "CNAME", "end.example."),
                                   dns.rrset.from_text("end.example.", 100, "IN", "A", "192.0.2.7")]
            connection.sendall(framed(response.to_wire()))

    upstream.behave = several
    client = connect()
    ages = {name: client.fetch(get(query(name))).max_age
            for name in ("one.example.", "chain.example.", "none.example.")}
    assert ages == {"one.example.": 100, "chain.example.": 30, "none.example.": 50}
    time.sleep(1.1)
    for name, age in ages.items():
        response = client.fetch(get(query(name)))
        sections = response.message.answer or response.message.authority
        assert response.max_age < age
        assert response.max_age <= min(one.ttl for one in sections)


def test_a_slow_name_does_not_block_the_next(connect, resolver):
    client = connect()
    slow = client.request(get(query("slow.example.")))
    fast = [client.request(get(query(f"fast{i}.example."))) for i in range(7)]
    client.flush()
    assert all(client.response(one).message.answer for one in fast)
    assert slow not in client.done
    resolver.go.set()
    assert client.response(slow).message.answer


def test_ten_requests_of_one_record_are_answered_in_one_record(connect):
    client = connect()
    names = [f"n{i}.example." for i in range(10)]
    for name in names:
        client.ask(query(name))
    streams = [client.request(get(query(name))) for name in names]
    client.flush()
    client.read()  # one record at most
    assert [client.responses[one].message.question[0].name.to_text() for one in streams] == names


def test_padding_answers_padding_in_blocks_and_any_id_comes_back(connect):
    client = connect()
    padded = query("padded.example.", use_edns=0, options=[dns.edns.GenericOption(PADDING, b"")])
    padded.id = 0
    for _ in range(2):  # from upstream, then from the cache
        response = client.fetch(get(padded))
        assert response.message.id == 0
        assert len(response.body) == 468
    assert len(client.fetch(get(query("padded.example."))).body) < 100


def test_a_large_answer_is_never_cut(connect, upstream):
    def huge(server, connection):
        while asked := server.read(connection):
            connection.sendall(framed(huge_answer_to(asked).to_wire(max_size=65535)))

    upstream.behave = huge
    client = connect()
    for _ in range(2):
        answer = client.ask(query("huge.example.", "TXT", use_edns=0))
        assert not answer.flags & dns.flags.TC
        assert len(answer.answer[0]) == 220


def test_h2load_is_answered_every_time(forwarder, tmp_path):
    limit(forwarder, queries_per_client_burst=1000000, queries_per_client_second=1000000)
    message = tmp_path / "query"
    message.write_bytes(query("load.example.").to_wire())
    said = subprocess.run(
        ["h2load", "-n", "5000", "-c", "10", "-m", "50", "-d", message, "-H",
         f"content-type: {MESSAGE}", f"https://127.0.0.1:{forwarder.doh}/dns-query"],
        capture_output=True, text=True, timeout=60).stdout
    assert "5000 succeeded, 0 failed" in said, said


def test_a_client_over_its_rate_is_told_when_to_come_back(forwarder, connect, ca):
    limit(forwarder, queries_per_client_second=1, queries_per_client_burst=5)
    client = connect(source=STRANGER)
    responses = [client.fetch(get(query("rate.example."))) for _ in range(8)]
    assert [one.status for one in responses] == [200] * 5 + [429] * 3
    assert responses[-1].headers["retry-after"] == "1"
    # It is one client whatever it speaks, and what is no question counts too.
    assert client.fetch("/other").status == 429
    with Client(forwarder.dot, ca.roots, source=STRANGER) as dot:
        assert dot.ask(query("rate.example.")).rcode() == dns.rcode.REFUSED
    own = connect()  # the router's own probe is never shed
    assert all(own.ask(query("rate.example.")).answer for _ in range(10))
    assert forwarder.status()["queries_refused"] >= 5


def first_answered(clients):
    """Which one it is depends on whose octets were read first."""
    for client in clients:
        client.tls.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            response = client.response(1)
            client.tls.settimeout(5)
            return client, response
    raise AssertionError("nobody has an answer")


def test_unfinished_requests_of_all_clients_hold_no_more_than_some_megabytes(forwarder, connect):
    limit(forwarder, connections_per_client_max=200, connections_max=400, frame_max=60000,
          **MANY_HANDSHAKES)
    # Of 2 workers with 4 MiB each, by hosts that have less than 1 MiB each.
    clients = [connect(source=f"127.0.4.{1 + number % 15}") for number in range(180)]
    for client in clients:
        client.request("/dns-query", "POST", bytes(65000), ends=False, content_type=MESSAGE)
        client.flush()
    eventually("some are turned away", lambda: forwarder.status()["doh_bodies_refused"] >= 40)
    refused, response = first_answered(clients)
    assert (response.status, response.headers["retry-after"]) == (503, "5")
    assert refused.ask(ASKED).answer  # it holds nothing


HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE = 1, 3, 4, 6


@pytest.mark.parametrize("table", [0, 4096])
def test_what_a_connection_may_hold_is_told_in_its_settings(forwarder, ca, table):
    if table != 0:
        limit(forwarder, hpack_table_bytes=table)
    client = FrameClient(forwarder.doh, ca.roots)
    settings = client.until(frame.SettingsFrame).settings
    assert {kind: settings[kind] for kind in (
        HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE)} == {
            HEADER_TABLE_SIZE: table, MAX_CONCURRENT_STREAMS: 100, INITIAL_WINDOW_SIZE: 65536,
            MAX_HEADER_LIST_SIZE: 16384}
    update = client.until(frame.WindowUpdateFrame)
    assert (update.stream_id, 65535 + update.window_increment) == (0, 65536)
    sizes = []
    for stream in (1, 3):
        client.get(stream, ASKED)
        sizes.append(len(client.until(frame.HeadersFrame).data))
        client.answer()
    # What was sent before is remembered, or it is not; an age may be an octet longer.
    assert sizes[1] < sizes[0] / 2 if table else sizes[0] - 2 <= sizes[1] <= sizes[0] + 2


def test_what_else_a_browser_says_reaches_nobody(forwarder, connect, upstream, tmp_path):
    client = connect()
    asked = query("said.example.")
    response = client.fetch(get(asked), user_agent="marker-agent", x_forwarded_for="198.51.100.77",
                            forwarded="for=198.51.100.77", cookie="marker-cookie",
                            accept_language="tlh", referer="https://marker.example/")
    assert response.message.answer
    filled = query("filled.example.", use_edns=0,
                   options=[dns.edns.GenericOption(KEEPALIVE, b"xx")])
    client.fetch(get(filled), user_agent="marker-agent")
    sent = {one.question[0].name.to_text(): one for one in upstream.queries}
    assert set(sent) == {"said.example.", "filled.example."}, "the control: they were passed on"
    assert CLIENT_SUBNET not in [one.otype for asked in sent.values() for one in asked.options]
    log = tmp_path / "forwarder.log"
    eventually("the control: it is a log of everything",
               lambda: "filled in its keepalive" in log.read_text())
    seen = log.read_bytes() + b"".join(one.to_wire() for one in sent.values())
    for marker in (b"marker", b"198.51.100.77", b"\xc6\x33\x64", b"tlh"):
        assert marker not in seen, marker


def test_http_2_or_nothing(forwarder, ca, connect):
    assert connect(alpn=("http/1.1", "h2")).tls.selected_alpn_protocol() == "h2"
    for alpn in (("http/1.1",), ("dot",)):
        with pytest.raises(ssl.SSLError, match="no application protocol"):
            connect(alpn=alpn)
    with pytest.raises((OSError, AssertionError)):
        connect(alpn=())
    with socket.create_connection(("127.0.0.1", forwarder.doh), timeout=3) as plain:
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert plain.recv(65536)[:1] in (b"", b"\x15")  # nothing, or a TLS alert


def test_more_streams_than_allowed_end_the_connection(forwarder, connect, resolver):
    limit(forwarder, streams_per_connection_max=5, in_flight_per_connection_max=10)
    client = connect()
    assert client.http.remote_settings.max_concurrent_streams == 5
    client.http.remote_settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS] = 100
    client.http.remote_settings.acknowledge()
    streams = [client.request(get(query(f"slow{i}.example."))) for i in range(8)]
    client.flush()
    assert client.read_to_the_end() == 1  # PROTOCOL_ERROR: it had heard of the limit
    client = connect()
    streams = [client.request(get(query(f"slow{i}.example."))) for i in range(5)]
    client.flush()
    resolver.go.set()
    assert all(client.response(one).message.answer for one in streams)


def test_at_the_limit_in_flight_reading_stops_and_goes_on(forwarder, connect, resolver):
    limit(forwarder, in_flight_per_connection_max=2)
    client = connect()
    streams = [client.request(get(query(f"slow{i}.example."))) for i in range(60)]
    client.flush()
    resolver.go.set()
    assert all(client.response(one).message.answer for one in streams)


def test_idle_connections_end_with_goaway(forwarder, connect):
    limit(forwarder, doh_idle_max=600, idle_max=100)
    client = connect()
    client.ask(ASKED)
    begin = time.monotonic()
    assert client.read_to_the_end() == 0
    assert 0.5 < time.monotonic() - begin < 10
    assert forwarder.status()["closed_idle"] == 1


def test_what_is_asked_before_the_client_leaves_is_answered(connect, resolver):
    client = connect()
    stream = client.request(get(query("slow.example.")))
    client.flush()
    frames(7, bytes(8), times=1)(client)  # GOAWAY
    time.sleep(0.2)
    resolver.go.set()
    assert client.read_to_the_end() == 0
    assert client.responses[stream].body and stream in client.done


def test_a_request_must_be_complete_in_time(forwarder, connect):
    limit(forwarder, frame_max=300)
    client = connect()
    client.request("/dns-query", "POST", b"x", ends=False, content_type=MESSAGE)
    client.flush()
    begin = time.monotonic()
    assert client.is_cut_off()
    assert 0.2 < time.monotonic() - begin < 10
    assert forwarder.status()["closed_slow"] == 1


def test_who_makes_no_room_for_answers_is_reset(forwarder, connect, resolver):
    limit(forwarder, stalled_max=500)
    client = connect(window=0)
    client.request(get(ASKED))
    client.flush()
    assert client.is_cut_off()
    assert forwarder.status()["closed_slow"] == 1
    # Who makes room, however little at a time, gets his.
    client = connect(window=0)
    stream = client.request(get(ASKED))
    client.flush()
    size = len(answer_to(ASKED).to_wire())
    for _ in range(size):
        client.http.increment_flow_control_window(1, stream)
        client.flush()
        time.sleep(0.02)
    assert client.response(stream).message.answer


def test_who_piles_up_answers_unread_is_reset(forwarder, connect, upstream):
    def huge(server, connection):
        while asked := server.read(connection):
            connection.sendall(framed(huge_answer_to(asked).to_wire(max_size=65535)))

    upstream.behave = huge
    limit(forwarder, stalled_max=300000)
    client = connect(window=0)
    for _ in range(20):
        client.request(get(query("huge.example.", "TXT")))
    client.flush()
    # Long before it would count as stalled.
    assert client.is_cut_off()
    assert forwarder.status()["closed_slow"] == 1


def frames(kind: int, payload: bytes, stream: int = 0, times: int = 1000):
    octets = struct.pack("!I", len(payload))[1:] + bytes([kind, 0]) + struct.pack("!I", stream)
    return lambda client: client.tls.sendall((octets + payload) * times)


def empty_bodies(client: H2Client) -> None:
    stream = client.request("/dns-query", "POST", b"", ends=False, content_type=MESSAGE)
    client.flush()
    frames(0, b"", stream)(client)


def broken_streams(client: H2Client) -> None:
    """Requests whose bodies are longer than they said, so that we have to reset them."""
    if client.goodbye is not None:
        return
    for _ in range(60):
        client.request("/dns-query", "POST", b"xx", ends=False, content_type=MESSAGE,
                       content_length="1")
    client.flush()
    assert client.read()


FLOODS = {"rapid reset": rapid_reset, "streams that are broken": broken_streams, "continuations": headers_without_end,
          "settings": frames(4, b""), "pings": frames(6, bytes(8)), "empty bodies": empty_bodies,
          "window updates": frames(8, struct.pack("!I", 1)),
          "priorities": frames(2, struct.pack("!IB", 0, 1), 3),
          "frames of no known kind": frames(200, bytes(7))}


@pytest.mark.memory
@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_is_told_to_calm_down_and_leaves_nothing(forwarder, connect, what):
    limit(forwarder, **MANY_HANDSHAKES)
    other = connect()
    other.ask(ASKED)

    def flood() -> None:
        client = H2Client(forwarder.doh, other.roots, source=STRANGER)
        client.ask(ASKED)
        with contextlib.suppress(OSError):  # it may be gone before all is sent
            for _ in range(20):
                FLOODS[what](client)
        with contextlib.suppress(OSError):
            assert client.read_to_the_end() in (ENHANCE_YOUR_CALM, None)
        client.close()

    for _ in range(8):
        flood()
    before = forwarder.resident_kib()
    for _ in range(24):
        flood()
    assert forwarder.is_sanitized() or forwarder.resident_kib() - before < 1024
    eventually("nobody is left", lambda: forwarder.status()["doh"] == 1)
    assert forwarder.status()["doh_floods"] == 32
    assert other.ask(ASKED).answer


def test_some_frames_of_no_known_kind_are_ignored(forwarder, connect):
    client = connect(source=STRANGER)
    for kind in (10, 16, 200, 255):
        for _ in range(60):  # more reads than one query may take
            frames(kind, bytes(7), times=1)(client)
        assert client.ask(query(f"kind{kind}.example.")).answer
    assert forwarder.status()["closed_broken"] == 0
    assert forwarder.status()["doh_floods"] == 0


def test_who_resets_now_and_then_stays(forwarder, connect):
    client = connect()
    for i in range(40):
        client.ask(query(f"kept{i}.example."))
        if i % 3 == 0:
            stream = client.request(get(query(f"slow{i}.example.")))
            client.http.reset_stream(stream)
            client.flush()
    assert client.ask(ASKED).answer
    assert forwarder.status()["doh_resets"] == 14
    assert forwarder.status()["doh_floods"] == 0


def test_the_end_of_the_service_is_said(tmp_path, forwarder, connect):
    client = connect()
    client.ask(ASKED)
    assert forwarder.end() == 0
    assert client.read_to_the_end() == 0


def padded(name: str, octets: int) -> bytes:
    """With an OPT of its own making: dnspython makes none of that size."""
    wire = bytearray(query(name).to_wire())
    wire[11] = 1  # ARCOUNT
    return bytes(wire) + struct.pack("!BHHIHHH", 0, 41, 1232, 0, octets + 4, PADDING, octets) + \
        bytes(octets)


def test_large_requests_of_one_connection_do_not_wait_for_each_other(forwarder, connect):
    limit(forwarder, frame_max=60000)
    client = connect()
    bodies = [padded(f"large{i}.example.", 60000) for i in range(2)]
    streams = [client.request("/dns-query", "POST", ends=False, content_type=MESSAGE)
               for _ in bodies]
    # Together the first parts are more than the connection's window.
    left = dict(zip(streams, bodies))
    while any(left.values()):
        for stream in streams:
            room = client.http.local_flow_control_window(stream)
            part, left[stream] = left[stream][:min(room, 8192)], left[stream][min(room, 8192):]
            if part:
                client.http.send_data(stream, part, end_stream=not left[stream])
        client.flush()
        if any(left.values()) and not any(map(client.http.local_flow_control_window, streams)):
            assert client.read(), "closed instead of a window"
    assert all(client.response(one).message.answer for one in streams)


def test_requests_that_are_not_whole_are_bounded_a_connection(forwarder, connect):
    limit(forwarder, frame_max=60000, doh_bodies_bytes_max=65536)
    client = connect()
    first = client.request("/dns-query", "POST", bytes(40000), ends=False, content_type=MESSAGE)
    client.flush()
    second = client.request("/dns-query", "POST", bytes(25000), ends=False, content_type=MESSAGE)
    client.flush()
    third = client.request("/dns-query", "POST", ends=False, content_type=MESSAGE)
    client.flush()
    while client.http.local_flow_control_window(third) < 1000:
        assert client.read()
    client.http.send_data(third, bytes(1000))
    client.flush()
    assert client.response(third).status == 503
    assert first not in client.done and second not in client.done
    assert forwarder.status()["doh_bodies_refused"] == 1
    assert client.ask(ASKED).answer


def test_status_counts(forwarder, connect, ca):
    limit(forwarder)
    client = connect(source=STRANGER)
    client.ask(ASKED)
    post(client, ASKED.to_wire())
    with Client(forwarder.dot, ca.roots) as dot:
        dot.ask(ASKED)
        status = forwarder.status()
        assert (status["doh"], status["connections"]) == (1, 1)
    assert (status["doh_connections"], status["doh_handshakes"]) == (1, 1)
    assert (status["doh_queries"], status["dot_queries"]) == (2, 1)
    assert (status["clients"], status["asked"]) == (1, 1)
