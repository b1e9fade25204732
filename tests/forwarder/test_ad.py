"""Who is told that an answer is authentic (AD), and on whose word (RFC 6840 sections 5.7 and 5.8). Loopback
only, no privilege."""

from __future__ import annotations

import getpass
import subprocess
import time

import dns.flags
import dns.message
import dns.query
import pytest

from doh_clients import H2Client
from forwarders import Forwarder, free_ports, query
from upstreams import ADN, answer_to, eventually, framed

DO = {"use_edns": 0, "want_dnssec": True}
SIGNED = "signed.example.net"


def wants_ad(name: str) -> dns.message.Message:
    asked = query(name)
    asked.flags |= dns.flags.AD
    return asked


def says_ad(answer: dns.message.Message) -> bool:
    return bool(answer.flags & dns.flags.AD)


@pytest.fixture
def validator(upstream):
    """Says of every answer that it is authentic."""
    def behave(server, connection):
        while asked := server.read(connection):
            name = asked.question[0].name.to_text()
            answer = answer_to(asked, "192.168.7.7" if "inward" in name else "192.0.2.7",
                               ttl=1 if "short" in name else 300)
            answer.flags |= dns.flags.AD
            if "silent" not in name and not server.is_silent:
                connection.sendall(framed(answer.to_wire()))

    upstream.is_silent = False
    upstream.behave = behave
    return upstream


@pytest.fixture
def trusting(forwarder, validator):
    assert forwarder.tell("validates on", "apply") == "ok"
    return forwarder


def test_by_itself_no_upstream_is_believed(forwarder, validator, connect):
    client = connect()
    for asked in (wants_ad("a.example."), query("b.example.", **DO)):
        for _ in range(2):  # from the upstream, then from the cache
            answer = client.ask(asked)
            assert answer.answer and not says_ad(answer)
    assert not any(says_ad(asked) for asked in validator.queries)


def test_of_a_trusted_validator_it_is_told_to_who_asks_for_it(trusting, validator, connect, ca):
    client = connect()
    for name in ("looked-up.example.", "cached.example."):
        client.ask(query("cached.example."))
        client.ask(query("cached.example.", **DO))
        assert says_ad(client.ask(wants_ad(name)))
        assert says_ad(client.ask(query(name, **DO)))
        plain = client.ask(query(name, use_edns=0))
        assert plain.answer and not says_ad(plain)
    asked_on = {asked.question[0].name.to_text(): says_ad(asked) for asked in validator.queries}
    assert asked_on == {"cached.example.": True, "looked-up.example.": True}
    asked = wants_ad("cached.example.")
    assert says_ad(dns.query.udp(asked, "127.0.0.1", port=trusting.do53, timeout=10))
    assert says_ad(dns.query.tcp(asked, "127.0.0.1", port=trusting.do53, timeout=10))
    browser = H2Client(trusting.doh, ca.roots)
    assert says_ad(browser.ask(asked))
    browser.tls.close()


def test_of_what_it_did_not_vouch_for_it_is_not_told(trusting, upstream, connect):
    def behave(server, connection):
        while asked := server.read(connection):
            connection.sendall(framed(answer_to(asked).to_wire()))

    upstream.behave = behave
    assert not says_ad(connect().ask(wants_ad("unsigned.example.")))


def test_what_is_ours_or_was_changed_is_never_authentic(trusting, connect):
    client = connect()
    assert says_ad(client.ask(wants_ad("outward.example.")))  # the control
    for name in ("inward.example.", "localhost.", "nas.", "name.invalid."):
        for _ in range(2):
            assert not says_ad(client.ask(wants_ad(name)))
    assert not client.ask(wants_ad("inward.example.")).answer


def test_what_is_stale_is_not_known_to_be_so_any_more(trusting, validator, connect):
    client = connect()
    client.tls.settimeout(20)
    asked = wants_ad("short.example.")
    assert says_ad(client.ask(asked))
    validator.is_silent = True
    time.sleep(2.1)  # its time is over
    stale = client.ask(asked)
    assert stale.answer and not says_ad(stale)


@pytest.mark.parametrize("reason", ["validates off", f"designated {ADN}", "dates-count off"])
def test_who_is_not_trusted_any_more_is_asked_anew(trusting, validator, connect, reason):
    """And nothing of what he was believed is left."""
    client = connect()
    assert says_ad(client.ask(wants_ad("a.example.")))
    assert trusting.tell(reason, "apply") == "ok"
    if reason.startswith("dates"):
        trusting.tell("flush")  # what was believed by a clock that was right stays true
        trusting.status()
    for name in ("a.example.", "b.example."):
        answer = client.ask(wants_ad(name))
        assert answer.answer and not says_ad(answer)
    assert len(validator.queries) == 3


@pytest.fixture
def zone(tmp_path):
    """A signed zone, by Knot: its port."""
    [port] = free_ports(1)
    (tmp_path / "zone").write_text(
        f"$ORIGIN {SIGNED}.\n@ 60 SOA ns.{SIGNED}. mail.{SIGNED}. 1 60 60 600 60\n"
        f"@ 60 NS ns.{SIGNED}.\nns 60 A 127.0.0.1\nwww 60 A 192.0.2.9\n")
    (tmp_path / "knot.conf").write_text(
        f"server:\n  rundir: {tmp_path}\n  listen: 127.0.0.1@{port}\n"
        f"database:\n  storage: {tmp_path}\n"
        f"zone:\n  - domain: {SIGNED}\n    file: {tmp_path}/zone\n    zonefile-load: difference\n"
        "    zonefile-sync: -1\n    journal-content: all\n    dnssec-signing: on\n")
    process = subprocess.Popen(["knotd", "-c", str(tmp_path / "knot.conf")])
    eventually("Knot has signed it", lambda: "RRSIG" in kdig(port, SIGNED, "DNSKEY", "+dnssec"))
    yield port
    process.terminate()
    process.wait(10)


def kdig(port: int, *words: str) -> str:
    return subprocess.run(["kdig", "@127.0.0.1", "-p", str(port), "+noall", "+answer", *words],
                          capture_output=True, text=True, timeout=60).stdout


@pytest.fixture
def unbound(tmp_path, ca, zone):
    """A resolver that validates it: its port of DNS over TLS."""
    port, plain = free_ports(2)
    chain, key = ca.issue(ADN)
    (tmp_path / "anchor").write_text(kdig(zone, SIGNED, "DNSKEY"))
    (tmp_path / "unbound.conf").write_text(
        f'server:\n  directory: "{tmp_path}"\n  chroot: ""\n  username: "{getpass.getuser()}"\n'
        f'  pidfile: "{tmp_path}/unbound.pid"\n  use-syslog: no\n  do-daemonize: no\n'
        f"  interface: 127.0.0.1@{port}\n  interface: 127.0.0.1@{plain}\n  tls-port: {port}\n"
        f'  tls-service-key: "{key}"\n  tls-service-pem: "{chain}"\n'
        f'  do-not-query-localhost: no\n  module-config: "validator iterator"\n'
        f'  trust-anchor-file: "{tmp_path}/anchor"\n'
        f"stub-zone:\n  name: {SIGNED}\n  stub-addr: 127.0.0.1@{zone}\n")
    process = subprocess.Popen(["unbound", "-d", "-c", str(tmp_path / "unbound.conf")])
    eventually("unbound validates", lambda: "192.0.2.9" in kdig(plain, f"www.{SIGNED}"))
    yield port
    process.terminate()
    process.wait(10)


def test_what_unbound_validated_is_told_as_that(tmp_path, ca, identity, unbound):
    forwarder = Forwarder(tmp_path / "forwarder.log")
    assert forwarder.tell(f"identity {identity[0]} {identity[1]}",
                          f"upstream {ADN} 127.0.0.1:{unbound}", f"roots {ca.roots}",
                          "apply") == "ok"

    def hears(asked: dns.message.Message) -> bool:
        answer = dns.query.udp(asked, "127.0.0.1", port=forwarder.do53, timeout=20)
        assert any(rrset.rdtype == 1 for rrset in answer.answer)
        return says_ad(answer)

    name = f"www.{SIGNED}."
    assert not hears(wants_ad(name))  # the control
    assert forwarder.tell("validates on", "apply") == "ok"
    for _ in range(2):
        assert hears(wants_ad(name)) and hears(query(name, **DO)) and not hears(query(name))
    assert forwarder.end() == 0
