"""HTTP/1.1 for DNS over HTTPS, where it is switched on. Loopback only, no privilege needed."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time

from doh_clients import MESSAGE, H2Client, curl, get
from forwarders import NAME, query

ASKED = query("status.example.")
TOO_LONG = "/dns-query?dns=" + "A" * 16400


def test_http_1_1_where_it_is_switched_on(forwarder, ca):
    assert forwarder.tell("http1", "apply") == "ok"
    asked = query("old.example.")
    for options, body in (((get(asked),), b""),
                          (("/tv", "--data-binary", "@-", "-H", f"content-type: {MESSAGE}"),
                           asked.to_wire())):
        response = curl(forwarder.doh, ca.roots, *options, "--http1.1", body=body)
        assert response.headers["version"] == "HTTP/1.1"
        assert response.message.answer[0][0].address == "192.0.2.7"
        assert response.max_age == 300
    refused = {path: curl(forwarder.doh, ca.roots, path, "--http1.1", *options).status
               for path, *options in (
                   ("/other",), ("/dns-query",), (get(asked), "-X", "PUT"), (TOO_LONG,),
                   ("/tv", "-X", "POST"), ("/tv?dns=AAAB", "-H", "cookie: " + "x" * 16400),
                   (get(ASKED), "-H", "accept: text/html"))}
    assert sorted(refused.values()) == [400, 404, 405, 406, 414, 415, 431]
    large = curl(forwarder.doh, ca.roots, "/tv", "--http1.1", "--data-binary", "@-", "-H",
                 f"content-type: {MESSAGE}", body=bytes(65536))
    assert large.status == 413
    # Who can speak HTTP/2 does.
    with contextlib.closing(H2Client(forwarder.doh, ca.roots, alpn=("http/1.1", "h2"))) as both:
        assert both.ask(ASKED).answer
    assert curl(forwarder.doh, ca.roots, get(asked)).headers["version"] == "HTTP/2"


def test_http_1_1_goes_on_where_it_is_asked_whether_to(forwarder, ca):
    """By a client that would wait for longer than its patience lasts."""
    assert forwarder.tell("http1", "apply") == "ok"

    def expecting(path: str, kind: str = MESSAGE):
        return curl(forwarder.doh, ca.roots, path, "--http1.1", "--data-binary", "@-",
                    "-H", f"content-type: {kind}", "-H", "Expect: 100-continue",
                    "--expect100-timeout", "60", body=ASKED.to_wire())

    first = expecting("/dns-query")
    assert first.status == 100 and first.body.startswith(b"HTTP/1.1 200 OK\r\n")
    assert first.body.endswith(b"\xc0\x00\x02\x07")
    # What no body would help is refused at once.
    assert (expecting("/other").status, expecting("/tv", "text/plain").status) == (404, 415)


def test_http_1_1_keeps_its_connection_and_its_order(forwarder, ca, resolver):
    assert forwarder.tell("http1", "apply") == "ok"
    context = ssl.create_default_context(cafile=str(ca.roots))
    with socket.create_connection(("127.0.0.1", forwarder.doh), timeout=5) as plain, \
            context.wrap_socket(plain, server_hostname=NAME) as tls:
        names = ["slow.example.", "fast.example."]
        tls.sendall(b"".join(f"GET {get(query(name))} HTTP/1.1\r\nhost: {NAME}\r\n\r\n".encode()
                             for name in names))
        time.sleep(0.2)
        resolver.go.set()
        data = b""
        while data.count(b"HTTP/1.1 200 OK") < 2 or not data.endswith(b"\xc0\x00\x02\x07"):
            data += tls.recv(65536)
        assert data.index(b"slow") < data.index(b"fast")
        tls.sendall(b"nonsense\r\n\r\n")
        assert tls.recv(65536).startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert tls.recv(65536) == b""
