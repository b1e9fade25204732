"""What the forwarder's TLS takes and refuses, shown by OpenSSL's own client: protocol, suites, groups, tickets,
staples. Each refusal has its control, the same client with what is taken. Loopback only, no privilege needed."""

from __future__ import annotations

import contextlib
import datetime
import re
import select
import selectors
import socket
import ssl
import struct
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import ocsp

from forwarders import NAME, free_ports, limit
from upstreams import Authority, eventually

PEM = serialization.Encoding.PEM
TICKET = "Post-Handshake New Session Ticket arrived"
TICKET_MESSAGE = "NewSessionTicket"  # by -msg, which is told at once


class Talk:
    """`openssl s_client`, its input open until who started it has seen what he waits for."""

    def __init__(self, port: int, roots: Path, *options: str) -> None:
        self._process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(roots),
             "-servername", NAME, "-verify_return_error", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = ""

    def hear(self, *texts: str, within_s: float = 30) -> str:
        """Until one of them was said, or the client ends."""
        end = time.monotonic() + within_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not any(text in self.said for text in texts):
                assert time.monotonic() < end, f"none of {texts} in: {self.said}"
                if selector.select(0.1):
                    octets = self._process.stdout.read1(65536)
                    if not octets:
                        break
                    self.said += octets.decode(errors="replace")
        return self.said

    def say(self, line: str) -> None:
        with contextlib.suppress(OSError):
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def leave(self) -> str:
        """Ends well, which it does behind the handshake, so that all is told."""
        self.say("Q")
        while self._process.stdout in self._ready():
            octets = self._process.stdout.read1(65536)
            if not octets:
                break
            self.said += octets.decode(errors="replace")
        return self.said

    def _ready(self) -> list:
        return select.select([self._process.stdout], [], [], 30)[0]

    def end(self) -> str:
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.kill()
        self.said += self._process.stdout.read().decode(errors="replace")
        self._process.wait()
        return self.said


@contextlib.contextmanager
def talk(port: int, roots: Path, *options: str) -> Iterator[Talk]:
    client = Talk(port, roots, *options)
    try:
        yield client
    finally:
        client.end()


def said(port: int, roots: Path, *options: str) -> str:
    """Of a whole handshake, or of its failure."""
    with talk(port, roots, *options) as client:
        return client.leave()


def is_let_in(text: str) -> bool:
    return "Verify return code: 0 (ok)" in text and "Cipher is (NONE)" not in text


OLD = ("-cipher", "ALL:@SECLEVEL=0")
REFUSED = {
    "TLS 1.1": (("-tls1_1", *OLD), ("-tls1_2", *OLD), "alert protocol version"),
    "a CBC suite": (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA"),
                    ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"),
                    "alert handshake failure"),
    "a group that is not ours": (("-groups", "P-384"), ("-groups", "P-256"),
                                 "alert handshake failure"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_longer_good_is_refused(forwarder, ca, what):
    refused, taken, alert = REFUSED[what]
    for port in (forwarder.dot, forwarder.doh):
        text = said(port, ca.roots, *refused)
        assert alert in text and not is_let_in(text), text
        text = said(port, ca.roots, *taken)
        assert is_let_in(text), text


def rsa_identity(ca: Authority, folder: Path) -> tuple[Path, Path]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    chain, key_file = folder / "rsa.pem", folder / "rsa.key"
    chain.write_bytes(ca._sign(subject, key.public_key(), NAME).public_bytes(PEM))
    key_file.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return chain, key_file


def test_a_key_that_is_sent_under_rsa_is_refused(forwarder, ca, tmp_path):
    chain, key = rsa_identity(ca, tmp_path)
    assert forwarder.tell(f"identity {chain} {key}", "apply") == "ok"
    text = said(forwarder.dot, ca.roots, "-tls1_2", "-cipher", "AES128-GCM-SHA256")
    assert "alert handshake failure" in text and not is_let_in(text), text
    text = said(forwarder.dot, ca.roots, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    assert is_let_in(text), text


def renegotiated(port: int, roots: Path) -> str:
    with talk(port, roots, "-tls1_2") as client:
        client.hear("verify return:1\ndepth=0")
        client.say("R")
        client.hear("RENEGOTIATING")
        # It is over with an error, or with the certificate that is verified once more.
        begin = len(client.said.split("RENEGOTIATING")[0])
        eventually("it goes on", lambda: re.search("verify return|error", _more(client)[begin:]))
        return client.said[begin:]


def _more(client: Talk) -> str:
    with contextlib.suppress(AssertionError):
        client.hear("no such text", within_s=0.3)
    return client.said


def test_renegotiation_is_refused(forwarder, ca, identity):
    text = renegotiated(forwarder.dot, ca.roots)
    assert "no renegotiation" in text and "verify return" not in text, text
    [port] = free_ports(1)
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(identity[0]), "-key",
         str(identity[1]), "-tls1_2", "-client_renegotiation", "-quiet"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually("the control listens", lambda: accepts(port))
        text = renegotiated(port, ca.roots)
        assert "verify return" in text and "no renegotiation" not in text, text
    finally:
        server.kill()
        server.wait()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def client_hello(compressions: bytes) -> bytes:
    """Of TLS 1.2, as Python makes it, but for what it offers to compress by (RFC 5246 section 7.4.1.2)."""
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=NAME).do_handshake()
    body = out.read()[9:]
    at = 34 + 1 + body[34]
    at += 2 + struct.unpack("!H", body[at:at + 2])[0]
    assert body[at:at + 2] == b"\1\0"
    body = body[:at] + bytes([len(compressions)]) + compressions + body[at + 2:]
    message = b"\1" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\3\1" + struct.pack("!H", len(message)) + message


def answer_to_hello(port: int, compressions: bytes) -> tuple[int, int]:
    """The kind of the record that comes, and the compression that was chosen, or the alert's kind."""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as plain:
        plain.sendall(client_hello(compressions))
        data = b""
        while len(data) < 7 or (data[0] == 22 and len(data) < 100):
            data += plain.recv(65536)
    if data[0] != 22:
        return data[0], data[6]
    hello = data[9:]
    return 22, hello[34 + 1 + hello[34] + 2]


def test_nothing_is_compressed(forwarder):
    deflate, none = b"\1", b"\0"
    handshake, alert = 22, 21
    assert answer_to_hello(forwarder.dot, none) == (handshake, 0)
    assert answer_to_hello(forwarder.dot, deflate + none) == (handshake, 0)
    assert answer_to_hello(forwarder.dot, deflate)[0] == alert


def knows_group(name: str) -> bool:
    """Whether this machine's library has it."""
    said_of = subprocess.run(["openssl", "s_client", "-groups", name, "-connect", "127.0.0.1:1"],
                             capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return "connect" in (said_of.stdout + said_of.stderr).lower() and \
        "groups" not in said_of.stderr


def test_the_hybrid_group_comes_first_where_the_library_has_it(forwarder, ca):
    assert knows_group("X25519") and not knows_group("X25518")
    for groups, chosen in (("X25519", "X25519"), ("P-256", "prime256v1|P-256"),
                           ("X25519:P-256", "X25519")):
        text = said(forwarder.dot, ca.roots, "-groups", groups)
        assert is_let_in(text) and re.search(f"Temp Key: .*({chosen}),", text), text
    # With TLS 1.2 nobody has begun before the server chooses, and its order counts.
    text = said(forwarder.dot, ca.roots, "-tls1_2", "-groups", "P-256:X25519")
    assert is_let_in(text) and "Temp Key: X25519," in text, text
    if knows_group("X25519MLKEM768"):
        text = said(forwarder.dot, ca.roots, "-groups", "X25519MLKEM768:X25519:P-256")
        assert is_let_in(text) and "Negotiated TLS1.3 group: X25519MLKEM768" in text, text


@pytest.mark.parametrize("hours", [12, 1])
def test_a_handshake_gives_one_ticket_that_says_how_long_it_is_good(forwarder, ca, tmp_path, hours):
    if hours != 12:
        limit(forwarder, ticket_lifetime=hours * 3600 * 1000)
    kept = tmp_path / "session.pem"
    for options, how in (((), "New, TLSv1.3"), (("-sess_in", str(kept)), "Reused, TLSv1.3")):
        with talk(forwarder.dot, ca.roots, "-tls1_3", "-msg", "-sess_out", str(kept),
                  *options) as client:
            client.hear(TICKET_MESSAGE)
            _more(client)  # where there were another
            text = client.leave()
        assert how in text and text.count(TICKET) == 1, text
        assert f"lifetime hint: {hours * 3600} (seconds)" in text, text
        assert "Max Early Data: 0\n" in text, text


def test_a_ticket_is_not_good_for_longer_than_the_keys_that_open_it(forwarder, ca, tmp_path):
    limit(forwarder, ticket_rotation=1500)
    kept = tmp_path / "session.pem"
    with talk(forwarder.dot, ca.roots, "-tls1_3", "-msg", "-sess_out", str(kept)) as client:
        client.hear(TICKET_MESSAGE)
        client.leave()
    begin = time.monotonic()
    assert "Reused" in said(forwarder.dot, ca.roots, "-tls1_3", "-sess_in", str(kept)) or \
        time.monotonic() - begin > 7  # too busy a machine to tell
    time.sleep(8)
    text = said(forwarder.dot, ca.roots, "-tls1_3", "-sess_in", str(kept))
    assert "Reused" not in text and is_let_in(text), text


class Responder:
    """The files of `openssl ocsp`, which answers for one CA."""

    def __init__(self, ca: Authority, folder: Path) -> None:
        self._ca, self._folder = ca, folder
        self.key = folder / "ca.key"
        self.key.write_bytes(ca._key.private_bytes(PEM, serialization.PrivateFormat.PKCS8,
                                                   serialization.NoEncryption()))

    def staple(self, leaf: Path) -> Path:
        """Good for a day, in the words of `openssl ocsp`."""
        serial = x509.load_pem_x509_certificate(leaf.read_bytes()).serial_number
        index, request = self._folder / "index.txt", self._folder / "request.der"
        index.write_text(f"V\t490101000000Z\t\t{serial:X}\tunknown\t/CN={NAME}\n")
        response = self._folder / f"{serial}.der"
        root = str(self._ca.roots)
        for step in (["-issuer", root, "-cert", str(leaf), "-no_nonce", "-reqout", str(request)],
                     ["-index", str(index), "-rsigner", root, "-rkey", str(self.key), "-CA", root,
                      "-reqin", str(request), "-respout", str(response), "-ndays", "1"]):
            subprocess.run(["openssl", "ocsp", *step], check=True, capture_output=True, timeout=30)
        return response

    def short_staple(self, leaf: Path, seconds: float) -> Path:
        """Good for a time that `openssl ocsp` can't be told."""
        certificate = x509.load_pem_x509_certificate(leaf.read_bytes())
        now = datetime.datetime.utcnow()
        root = self._ca.certificate
        response = ocsp.OCSPResponseBuilder().add_response(
            certificate, root, hashes.SHA1(), ocsp.OCSPCertStatus.GOOD,
            now - datetime.timedelta(hours=1), now + datetime.timedelta(seconds=seconds), None,
            None).responder_id(ocsp.OCSPResponderEncoding.HASH, root) \
            .sign(self._ca._key, hashes.SHA256())
        file = self._folder / "short.der"
        file.write_bytes(response.public_bytes(serialization.Encoding.DER))
        return file


@pytest.fixture
def stapled(forwarder, ca, identity, tmp_path):
    """The forwarder with leaf and issuer, as a staple needs them, and who makes staples."""
    chain = tmp_path / "chain.pem"
    chain.write_bytes(identity[0].read_bytes() + ca.roots.read_bytes())
    assert forwarder.tell(f"identity {chain} {identity[1]}", "apply") == "ok"
    return Responder(ca, tmp_path)


def status_said(forwarder, ca, *options: str) -> str:
    text = said(forwarder.dot, ca.roots, "-status", *options)
    assert is_let_in(text), text
    return text


NO_STAPLE = "OCSP response: no response sent"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_staple_is_shown_to_who_asks(forwarder, ca, identity, stapled, version):
    assert NO_STAPLE in status_said(forwarder, ca, version)
    assert forwarder.tell(f"staple {stapled.staple(identity[0])}", "apply") == "ok"
    text = status_said(forwarder, ca, version)
    assert "OCSP Response Status: successful" in text and "Cert Status: good" in text, text
    assert "OCSP" not in said(forwarder.dot, ca.roots, version)


def test_a_staple_of_another_certificate_is_refused_whole(forwarder, ca, identity, stapled):
    assert forwarder.tell(f"staple {stapled.staple(identity[0])}", "apply") == "ok"
    other = ca.issue("other." + NAME)
    refused = forwarder.tell(f"staple {stapled.staple(other[0])}", "apply")
    assert refused == "error TLS identity: the staple: about another certificate", refused
    assert "Cert Status: good" in status_said(forwarder, ca)


def test_a_staple_that_is_over_is_not_shown(forwarder, ca, identity, stapled):
    begin = time.monotonic()
    assert forwarder.tell(f"staple {stapled.short_staple(identity[0], 6)}", "apply") == "ok"
    text = status_said(forwarder, ca)
    assert "Cert Status: good" in text or time.monotonic() - begin > 4, text
    time.sleep(7)
    assert NO_STAPLE in status_said(forwarder, ca)
