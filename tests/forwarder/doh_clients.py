"""Clients of DNS over HTTPS for the forwarder's tests: python3-h2, which sees and sends single frames,
and curl."""

from __future__ import annotations

import base64
import socket
import ssl
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import dns.message
import h2.config
import h2.connection
import h2.events
import h2.settings
import hpack
import hyperframe.frame as frames

from forwarders import NAME

MESSAGE = "application/dns-message"


def in_url(wire: bytes) -> str:
    return base64.urlsafe_b64encode(wire).rstrip(b"=").decode()


def get(asked: dns.message.Message, path: str = "/dns-query") -> str:
    return f"{path}?dns={in_url(asked.to_wire())}"


@dataclass
class Response:
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: int | None = None

    @property
    def status(self) -> int:
        return int(self.headers[":status"])

    @property
    def message(self) -> dns.message.Message:
        assert self.status == 200 and self.headers["content-type"] == MESSAGE
        assert int(self.headers["content-length"]) == len(self.body)
        return dns.message.from_wire(self.body)

    @property
    def max_age(self) -> int:
        return int(self.headers["cache-control"].removeprefix("max-age="))


class H2Client:
    """Keeps its connection; what it sends leaves with flush(), in one record."""

    def __init__(self, port: int, roots: Path, source: str = "127.0.0.1", alpn=("h2",),
                 window: int | None = None, name: str = NAME) -> None:
        self.roots = roots
        context = ssl.create_default_context(cafile=str(roots))
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # no end without close_notify
        if alpn:
            context.set_alpn_protocols(list(alpn))
        plain = socket.create_connection(("127.0.0.1", port), timeout=5,
                                         source_address=(source, 0))
        self.tls = context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False)
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=False,
            normalize_outbound_headers=False))
        self.responses: dict[int, Response] = {}
        self.done: list[int] = []
        self.goodbye: int | None = None  # the code of GOAWAY
        self._data, self._gone = b"", False
        self.http.initiate_connection()
        if window is not None:
            self.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()
        assert self.read(), "closed instead of settings"

    def flush(self) -> None:
        self.tls.sendall(self.http.data_to_send())

    def request(self, path: str, method: str = "GET", body: bytes | None = None,
                ends: bool = True, **headers: str) -> int:
        """Sent with the next flush()."""
        stream = self.http.get_next_available_stream_id()
        fields = [(":method", method), (":scheme", "https"), (":authority", NAME),
                  (":path", path)]
        fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.http.send_headers(stream, fields, end_stream=body is None and ends)
        if body is not None:
            for start in range(0, len(body), 16384):
                self.http.send_data(stream, body[start:start + 16384])
            if ends:
                self.http.end_stream(stream)
        self.responses[stream] = Response()
        return stream

    def ask(self, asked: dns.message.Message) -> dns.message.Message:
        return self.fetch(get(asked)).message

    def fetch(self, path: str, method: str = "GET", body: bytes | None = None,
              **headers: str) -> Response:
        stream = self.request(path, method, body, **headers)
        self.flush()
        return self.response(stream)

    def response(self, stream: int) -> Response:
        while stream not in self.done:
            assert self.read(), "closed instead of a response"
        return self.responses[stream]

    def read(self) -> bool:
        """One record; False at the end of the connection."""
        data = self.tls.recv(65536)
        for event in self._events(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.responses[event.stream_id].headers = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                self.responses[event.stream_id].body += event.data
                self.http.acknowledge_received_data(event.flow_controlled_length,
                                                    event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.done.append(event.stream_id)
            elif isinstance(event, h2.events.StreamReset):
                if event.stream_id not in self.done:
                    self.responses[event.stream_id].reset = event.error_code
                    self.done.append(event.stream_id)
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goodbye = event.error_code
        if self.goodbye is None and data:
            self.flush()
        return bool(data)

    def _events(self, data: bytes):
        """python3-h2 takes GOAWAY for the end, so whatever follows is kept from it."""
        self._data += data
        while len(self._data) >= 9 and not self._gone:
            end = 9 + int.from_bytes(self._data[:3], "big")
            if len(self._data) < end:
                return
            one, self._data = self._data[:end], self._data[end:]
            for event in self.http.receive_data(one):
                self._gone |= isinstance(event, h2.events.ConnectionTerminated)
                yield event

    def read_to_the_end(self) -> int | None:
        """What the GOAWAY before close_notify said."""
        while self.read():
            pass
        return self.goodbye

    def is_cut_off(self) -> bool:
        """Closed without a word, not in its time."""
        try:
            while self.tls.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:  # a reset, or an end of TCP alone
            return True
        return False

    def close(self) -> None:
        self.tls.close()


class FrameClient:
    """Sends and sees frames one by one, and goes on after GOAWAY, as python3-h2 can't."""

    def __init__(self, port: int, roots: Path) -> None:
        context = ssl.create_default_context(cafile=str(roots))
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # no end without close_notify
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", port), timeout=15)
        self.tls = context.wrap_socket(plain, server_hostname=NAME, suppress_ragged_eofs=False)
        self._encoder, self._decoder, self._data = hpack.Encoder(), hpack.Decoder(), b""
        self.bodies: dict[int, bytes] = {}
        self.tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.send(frames.SettingsFrame(0))

    def send(self, *some: frames.Frame) -> None:
        """All in one record."""
        self.tls.sendall(b"".join(one.serialize() for one in some))

    def get(self, stream: int, asked: dns.message.Message) -> None:
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", NAME),
                  (":path", get(asked))]
        self.send(frames.HeadersFrame(stream, self._encoder.encode(fields),
                                      flags=["END_HEADERS", "END_STREAM"]))

    def next(self) -> frames.Frame | None:
        """None: close_notify."""
        while len(self._data) < 9 or len(self._data) < 9 + int.from_bytes(self._data[:3], "big"):
            more = self.tls.recv(65536)
            if not more:
                return None
            self._data += more
        one, size = frames.Frame.parse_frame_header(memoryview(self._data[:9]))
        one.parse_body(memoryview(self._data[9:9 + size]))
        self._data = self._data[9 + size:]
        if isinstance(one, frames.HeadersFrame):
            self._decoder.decode(one.data)
        if isinstance(one, frames.DataFrame):
            self.bodies[one.stream_id] = self.bodies.get(one.stream_id, b"") + one.data
        return one

    def until(self, kind: type, flag: str | None = None) -> frames.Frame:
        while True:
            one = self.next()
            assert one is not None, "closed instead"
            if isinstance(one, kind) and (flag is None or flag in one.flags):
                return one

    def answer(self) -> tuple[int, dns.message.Message]:
        one = self.until(frames.DataFrame, "END_STREAM")
        return one.stream_id, dns.message.from_wire(self.bodies[one.stream_id])

    def pong(self, ping: frames.PingFrame) -> None:
        self.send(frames.PingFrame(0, ping.opaque_data, flags=["ACK"]))


def curl(port: int, roots: Path, path: str, *options: str, body: bytes = b"") -> Response:
    """One request by a connection of its own."""
    said = subprocess.run(
        ["curl", "-sS", "-i", "--max-time", "10", "--cacert", str(roots), "--resolve",
         f"{NAME}:{port}:127.0.0.1", *options, f"https://{NAME}:{port}{path}"],
        input=body, capture_output=True, timeout=20)
    assert said.returncode == 0, said.stderr.decode()
    head, content = said.stdout.split(b"\r\n\r\n", 1)
    first, *lines = head.decode().split("\r\n")
    version, status = first.split()[:2]
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Response({"version": version, ":status": status, **headers}, content)
