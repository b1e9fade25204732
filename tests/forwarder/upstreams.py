"""Upstreams on loopback for the look-up's tests: a CA, servers that misbehave on purpose, and a
driver that asks them."""

from __future__ import annotations

import datetime
import os
import selectors
import socket
import ssl
import struct
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(os.environ.get("PORCHLIGHT", ROOT / "build/release/porchlight")).parent / \
    "lookup_driver"
ADN = "dns.isp.test"


class Authority:
    """A CA of one level, and the certificates that it gives to servers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        self.certificate = self._sign(self._name, self._key.public_key(), None)
        self.roots = folder / "roots.pem"
        self.roots.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, key=None, others: tuple[str, ...] = ()) -> tuple[Path, Path]:
        """Files with a certificate for `name`, and `others`, and its key."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key(), name, others)
        chain, key_file = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                               serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        return chain, key_file

    def _sign(self, subject: x509.Name, public_key, dns_name: str | None,
              others: tuple[str, ...] = ()) -> x509.Certificate:
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self._name)
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(hours=1))
                   .not_valid_after(now + datetime.timedelta(days=1))
                   .add_extension(x509.BasicConstraints(ca=dns_name is None, path_length=None),
                                  critical=True)
                   # Python 3.13 asks for what follows (RFC 5280 section 4.2.1).
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key),
                                  critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                       self._key.public_key()), critical=False)
                   .add_extension(x509.KeyUsage(
                       digital_signature=True, key_cert_sign=dns_name is None,
                       crl_sign=dns_name is None, content_commitment=False,
                       key_encipherment=dns_name is not None, data_encipherment=False,
                       key_agreement=False, encipher_only=False, decipher_only=False),
                       critical=True))
        if dns_name:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(one) for one in (dns_name, *others)]),
                critical=False)
        return builder.sign(self._key, hashes.SHA256())


def eventually(what: str, holds: Callable[[], object], within_s: float = 30) -> None:
    """Waits until it does, for longer than a busy machine needs."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {within_s:g} s"
        time.sleep(0.02)


def answer_to(query: dns.message.Message, address: str = "192.0.2.7",
              ttl: int = 300) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA
    question = query.question[0]
    response.answer.append(dns.rrset.from_text(question.name, ttl, "IN", question.rdtype, address))
    return response


def framed(message: bytes) -> bytes:
    return struct.pack("!H", len(message)) + message


def read_frame(connection: ssl.SSLSocket) -> bytes | None:
    """The next message, or nothing at the end."""
    data = b""
    while len(data) < 2 or len(data) < 2 + struct.unpack("!H", data[:2])[0]:
        more = connection.recv(2 - len(data) if len(data) < 2 else
                               2 + struct.unpack("!H", data[:2])[0] - len(data))
        if not more:
            return None
        data += more
    return data[2:]


class DotServer:
    """A DoT server whose `behave(self, connection)` serves one connection, as it pleases."""

    def __init__(self, certificate: tuple[Path, Path],
                 behave: Callable[["DotServer", ssl.SSLSocket], None], port: int = 0,
                 goodbye: bool = True) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        self._context.set_alpn_protocols(["dot"])
        self.behave = behave
        self.goodbye = goodbye
        self.queries: list[dns.message.Message] = []
        self.raw_sizes: list[int] = []
        self.connections = 0
        self.resumed = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def read(self, connection: ssl.SSLSocket) -> dns.message.Message | None:
        wire = read_frame(connection)
        if wire is None:
            return None
        self.raw_sizes.append(len(wire))
        query = dns.message.from_wire(wire)
        self.queries.append(query)
        return query

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it left before

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        self._open.append(plain)
        try:
            with self._context.wrap_socket(plain, server_side=True) as connection:
                self._open.append(connection)
                self.resumed += bool(connection.session_reused)
                self.behave(self, connection)
                if self.goodbye:
                    connection.unwrap()  # close_notify
        except (OSError, ssl.SSLError, ValueError):
            pass  # the client left, which is what some tests are about


def answers(server: DotServer, connection: ssl.SSLSocket) -> None:
    """Behaves."""
    while query := server.read(connection):
        connection.sendall(framed(answer_to(query).to_wire()))


def is_silent(server: DotServer, connection: ssl.SSLSocket) -> None:
    while server.read(connection):
        pass


@dataclass
class Answer:
    name: str
    type: str
    rcode: int
    ede: int | None
    ms: int
    records: int
    data: str

    @property
    def address(self) -> str:
        return socket.inet_ntoa(bytes.fromhex(self.data))


class Driver:
    """lookup_driver, asked line by line."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("wb")
        self._process = subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=self._log)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        self._buffer = b""

    def say(self, *lines: str) -> None:
        self._process.stdin.write("".join(line + "\n" for line in lines).encode())
        self._process.stdin.flush()

    def line(self, within_s: float = 30) -> str:
        deadline = time.monotonic() + within_s
        while b"\n" not in self._buffer:
            if not self._selector.select(max(0, deadline - time.monotonic())):
                raise TimeoutError("the driver says nothing")
            more = os.read(self._process.stdout.fileno(), 65536)
            if not more:
                raise EOFError("the driver ended")
            self._buffer += more
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode()

    def until_done(self) -> list[str]:
        return list(iter(self.line, "done"))

    def use(self, roots: Path, *upstreams: DotServer | str, **more: str) -> str:
        """Applies settings; what the driver says to them."""
        self.say(f"roots {roots}")
        for upstream in upstreams:
            endpoint = upstream if isinstance(upstream, str) else upstream.endpoint
            self.say(f"upstream {ADN} {endpoint}")
        self.say(*(f"{key} {value}" for key, value in more.items()), "apply")
        return self.line()

    def ask(self, *questions: str, command: str = "ask") -> list[Answer]:
        """Asks all at once, and waits for all answers, in the order they come."""
        self.say(*(f"{command} {question if ' ' in question else question + ' A'}"
                   for question in questions), "wait")
        return [self._answer(line) for line in self.until_done()]

    def one(self, question: str, command: str = "ask") -> Answer:
        [answer] = self.ask(question, command=command)
        return answer

    def sleep(self, seconds: float) -> None:
        self.say(f"sleep {int(seconds * 1000)}")
        self.until_done()

    def states(self) -> list[dict[str, str]]:
        self.say("state")
        return [dict(word.split("=", 1) for word in line.split()[2:] if "=" in word)
                for line in self.until_done()]

    def end(self) -> int:
        """Its exit status: not 0 where a sanitizer complained."""
        self._process.stdin.close()
        status = self._process.wait(20)
        self._log.close()
        return status

    @staticmethod
    def _answer(line: str) -> Answer:
        _, name, kind, *fields = line.split()
        values = dict(field.split("=", 1) for field in fields)
        ede = values["ede"]
        return Answer(name, kind, int(values["rcode"]), None if ede == "-" else int(ede),
                      int(values["ms"]), int(values["records"]), values["data"])
