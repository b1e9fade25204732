"""A forwarder on loopback for the listeners' tests, and a client that sees every frame."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path

import dns.message
import dns.rrset

from upstreams import ROOT, DotServer, answer_to, eventually, framed

DRIVER = Path(os.environ.get("PORCHLIGHT", ROOT / "build/release/porchlight")).parent / \
    "forwarder_driver"
NAME = "cpe.home.test"
STRANGER = "127.0.0.2"  # a source address that is not the one connected to


STARTS = 5  # a port that was free may be somebody's before it is taken


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("", 0))  # of every address: a flood leaves ports of some in TIME_WAIT
        return [probe.getsockname()[1] for probe in probes]


class Forwarder:
    """Told what to do by one line a time."""

    begun: list[Forwarder] = []  # by the test that runs

    def __init__(self, log: Path, workers: int = 2) -> None:
        self.log = log
        for _ in range(STARTS):
            self.dot, self.do53, self.doh = free_ports(3)
            self._process = subprocess.Popen([str(DRIVER), str(workers), str(self.dot),
                                              str(self.do53), str(self.doh)],
                                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                             stderr=log.open("wb"), text=True)
            self.begun.append(self)
            match self._answer().split():
                case ["ok", child]:
                    self.child = int(child)
                    return
            self._process.kill()
            self._process.wait()
        raise AssertionError(log.read_text())

    def _answer(self) -> str:
        return self._process.stdout.readline().strip()

    def tell(self, *lines: str) -> str:
        """The last line's answer; the others' must be "ok"."""
        for line in lines:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._answer()
            assert line == lines[-1] or answer == "ok", (line, answer)
        return answer

    def status(self) -> dict[str, int]:
        return {key: int(value) for key, value in
                (item.split("=") for item in self.tell("status").split()[1:])}

    def cpu_seconds(self) -> float:
        """What the forwarder has computed so far, its threads together."""
        fields = Path(f"/proc/{self.child}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rests(self) -> bool:
        """Looks for a second. What was still to be done may take a few; who spins never rests."""
        before = self.cpu_seconds()
        time.sleep(1)
        return self.cpu_seconds() - before < 0.3

    def resident_kib(self) -> int:
        """Of the process that serves."""
        status = Path(f"/proc/{self.child}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    @contextlib.contextmanager
    def stopped(self):
        """Hears nothing of what is sent meanwhile. A signal alone takes its time to arrive."""
        os.kill(self.child, signal.SIGSTOP)
        try:
            eventually("it stands still", lambda: all(
                task.read_text().rsplit(")", 1)[1].split()[0] == "T"
                for task in Path(f"/proc/{self.child}/task").glob("*/stat")))
            yield
        finally:
            os.kill(self.child, signal.SIGCONT)

    @staticmethod
    def is_sanitized() -> bool:
        """A sanitizer keeps what was freed, so its process grows where ours would not."""
        program = DRIVER.read_bytes()
        return b"__asan_init" in program or b"__tsan_init" in program

    def end(self) -> int:
        """May be said twice."""
        self._process.stdin.close()
        return self._process.wait(timeout=10)


def limit(forwarder: Forwarder, **limits: int) -> None:
    assert forwarder.tell(*(f"limit {name} {value}" for name, value in limits.items()),
                          "apply") == "ok"


class Client:
    """A DoT client that keeps its connection."""

    def __init__(self, port: int, roots: Path, source: str = "127.0.0.1", alpn=("dot",),
                 version=None, session=None, context=None, name: str = NAME) -> None:
        self.context = context or ssl.create_default_context(cafile=str(roots))
        self.context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # no end without close_notify
        if alpn:
            self.context.set_alpn_protocols(list(alpn))
        if version:
            self.context.minimum_version = self.context.maximum_version = version
        plain = socket.create_connection(("127.0.0.1", port), timeout=5,
                                         source_address=(source, 0))
        self.tls = self.context.wrap_socket(plain, server_hostname=name, session=session,
                                            suppress_ragged_eofs=False)
        self._data = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.tls.close()

    def send(self, *queries: dns.message.Message) -> None:
        """All in one record."""
        self.tls.sendall(b"".join(framed(query.to_wire()) for query in queries))

    def answer(self) -> dns.message.Message:
        while True:
            if len(self._data) >= 2:
                end = 2 + struct.unpack("!H", self._data[:2])[0]
                if len(self._data) >= end:
                    wire, self._data = self._data[2:end], self._data[end:]
                    return dns.message.from_wire(wire)
            more = self.tls.recv(65536)
            assert more, "closed instead of an answer"
            self._data += more

    def ask(self, query: dns.message.Message) -> dns.message.Message:
        self.send(query)
        return self.answer()

    def is_closed(self) -> bool:
        """The server said goodbye properly: close_notify, not just the end of TCP."""
        return self.tls.recv(65536) == b""


class HalfRecord:
    """A client whose TLS records leave as octets at our choice: for records that come in pieces."""

    def __init__(self, port: int, roots: Path, source: str = "127.0.0.1") -> None:
        context = ssl.create_default_context(cafile=str(roots))
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=NAME)
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5,
                                               source_address=(source, 0))
        self._drive(self._tls.do_handshake)
        self.socket.sendall(self._out.read())

    def __enter__(self) -> "HalfRecord":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def _drive(self, call):
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                self.socket.sendall(self._out.read())
                self._in.write(self.socket.recv(65536))

    def record(self, *queries: dns.message.Message) -> bytes:
        """The octets of one record, not sent."""
        self._tls.write(b"".join(framed(query.to_wire()) for query in queries))
        return self._out.read()

    def answer(self) -> dns.message.Message:
        data = self._drive(lambda: self._tls.read(65536))
        return dns.message.from_wire(data[2:])


def query(name: str, kind: str = "A", **options) -> dns.message.Message:
    return dns.message.make_query(name, kind, **options)


def huge_answer_to(asked: dns.message.Message) -> dns.message.Message:
    """Of 55 KB."""
    response = dns.message.make_response(asked)
    response.answer.append(dns.rrset.from_text(
        asked.question[0].name, 60, "IN", "TXT", *(f'"{i}{"x" * 240}"' for i in range(220))))
    return response


def huge_wires(asked: list[dns.message.Message]) -> list[bytes]:
    """Of 55 KB each. Making one takes dnspython long, so what follows the question is made once:
    its names point back to where the question stands."""
    header, question = 12, 4
    end = header + len(asked[0].question[0].name.to_wire()) + question
    whole = huge_answer_to(asked[0]).to_wire(max_size=65535)
    return [struct.pack("!H", one.id) + whole[2:header] +
            one.question[0].name.to_wire() + whole[end - question:] for one in asked]


class Resolver:
    """Behaviour of an upstream: answers everything; names below "slow" only when let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self._writing = threading.Lock()

    def __call__(self, server: DotServer, connection: ssl.SSLSocket) -> None:
        while (asked := server.read(connection)) is not None:
            if "slow" in asked.question[0].name.to_text():
                threading.Thread(target=self._later, args=(connection, asked),
                                 daemon=True).start()
            else:
                self._send(connection, asked)

    def _later(self, connection, asked) -> None:
        self.go.wait(10)
        with contextlib.suppress(OSError):  # who asked has left by now
            self._send(connection, asked)

    def _send(self, connection, asked) -> None:
        response = answer_to(asked) if asked.question[0].rdtype == 1 else \
            dns.message.make_response(asked)
        if "large" in asked.question[0].name.to_text():
            response = dns.message.make_response(asked)
            for i in range(120):
                response.answer += answer_to(asked, f"192.0.2.{i}").answer
        with self._writing:
            connection.sendall(framed(response.to_wire(max_size=65535)))


class KeyUpdates:
    """A client that does TLS with zeal and asks nothing: Python's `ssl` can't."""

    _REQUESTED = 1  # SSL_KEY_UPDATE_REQUESTED: the other side has to update too

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self._tls = ctypes.CDLL(ctypes.util.find_library("ssl"))
        for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
            getattr(self._tls, name).restype = ctypes.c_void_p
        context = self._tls.SSL_CTX_new(ctypes.c_void_p(self._tls.TLS_client_method()))
        self._ssl = ctypes.c_void_p(self._tls.SSL_new(ctypes.c_void_p(context)))
        self._tls.SSL_CTX_free(ctypes.c_void_p(context))
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5,
                                               source_address=(source, 0))
        self.socket.setblocking(True)
        self._tls.SSL_set_fd(self._ssl, self.socket.fileno())
        assert self._tls.SSL_connect(self._ssl) == 1
        self.socket.setblocking(False)

    def __enter__(self) -> "KeyUpdates":
        return self

    def __exit__(self, *_) -> None:
        self._tls.SSL_free(self._ssl)
        self.socket.close()

    def send(self) -> bool:
        """One that asks for one; reads nothing. False: nothing more can be sent."""
        return (self._tls.SSL_key_update(self._ssl, self._REQUESTED) == 1
                and self._tls.SSL_do_handshake(self._ssl) == 1)


def session_of(client: Client) -> ssl.SSLSession:
    client.ask(query("ticket.example."))  # the ticket comes with, or before, the first answer
    return client.tls.session
