"""`porchlight discover` connects to what is offered: who works, who doesn't, and why, in words."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from lab import Home, encode, ra
from lab.authority import DAY, Authority
from lab.discover import discover, resolvers, told, trial
from lab.host import Host
from lab.kea import Kea
from lab.namespace import Namespace
from lab.router import BINARY, LAN4, LAN6, Router
from lab.unbound import Unbound

NAME = "dns.example.org"
OFFER: dict[str, Any] = {"priority": 1, "adn": NAME, "addresses": [LAN4], "alpn": ["dot", "h2", "doq"],
                         "dohpath": "/dns-query{?dns}"}
DESIGNATION = {"priority": 1, "adn": NAME, "alpn": ["dot"], "params": {"ipv4hint": "c0a84d01"}}


def encoded(router: Router, carrier: str, *resolvers: dict[str, Any]) -> bytes:
    return bytes.fromhex(router.ns.run(str(BINARY), "options", "encode", "--carrier", carrier,
                                       json.dumps(resolvers)).stdout)


def designated(report: dict[str, Any], by: str) -> dict[str, Any]:
    """How the resolver fared that the plain one at `by` designates. A router has several addresses,
    its link-local one among them, and each is asked."""
    return next(offer["resolvers"][0]["trials"][0] for offer in report["offers"]
                if offer["carrier"] == "svcb" and offer["from"]["address"] == by)


class Foreign:
    """A router without porchlight: dnsmasq says what a story wants it to say."""

    def __init__(self, home: Home) -> None:
        self.home, self.router = home, home.router
        self.host: Host = home.host()
        self.host.ns.ip(f"addr add {LAN4.rsplit('.', 1)[0]}.77/24 dev eth0",
                        "addr add fd77:77:77::77/64 dev eth0 nodad")
        self._conf = self.router.folder / "dnsmasq.conf"
        self._before = self._conf.read_text()

    def says(self, *lines: str) -> None:
        self._conf.write_text(self._before + "".join(f"{line}\n" for line in lines))
        self.router.restart_dnsmasq()

    def offers(self, *resolvers: dict[str, Any]) -> None:
        option = encoded(self.router, "dhcpv4", *resolvers)
        self.says(f"dhcp-option-force=162,{option.hex(':')}")

    def certificate(self, *names: str, **dates: Any) -> tuple[Path, Path]:
        return self.home.internet.leaf(*names, **dates)

    def discovers(self, *words: str, status: int = 0, roots: Path | None = None) -> dict[str, Any]:
        return discover(self.host.ns, *words, status=status, roots=roots or self.home.trust,
                        seconds=1)


Answer = Callable[[dns.message.Message], dns.message.Message | None]


@contextlib.contextmanager
def plain_resolver(host: Host, address: str, answer: Answer) -> Iterator[None]:
    """A device of the home answers DNS in clear text as a story wants it."""
    with host.ns.entered():
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((address, 53))
    listener.settimeout(0.1)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                octets, peer = listener.recvfrom(4096)
                response = answer(dns.message.from_wire(octets))
                if response:
                    listener.sendto(response.to_wire(), peer)

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    try:
        yield
    finally:
        over.set()
        server.join()
        listener.close()


@contextlib.contextmanager
def hangs_up_once(namespace: Namespace, to: tuple[str, int], beyond: tuple[str, int]) -> Iterator[None]:
    """As who has had too many handshakes for the moment; then every octet goes through."""
    with namespace.entered():
        listener = socket.create_server(to)

    def carry(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(65536):
                sink.sendall(octets)
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            first, _ = listener.accept()
            first.recv(65536)
            first.close()
            while True:
                client, _ = listener.accept()
                with namespace.entered():
                    server = socket.create_connection(beyond, timeout=10)
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=carry, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture(scope="module")
def foreign() -> Iterator[Foreign]:
    with Home() as home:
        yield Foreign(home)


def test_tls_and_https_are_tried_and_timed_and_quic_is_not(foreign: Foreign) -> None:
    foreign.offers(OFFER)
    with Unbound(foreign.router.ns, foreign.certificate(NAME), LAN4):
        report = foreign.discovers()
    assert report["usable"] and report["sentence"] == (
        f"Hosts on eth0 use {NAME} ({LAN4}) over TLS: it answers, and its certificate is good.")
    for alpn, port in (("dot", 853), ("h2", 443)):
        tried = trial(report, "dhcpv4", alpn)
        assert tried["outcome"] == "works" and tried["proof"] == "name", tried
        assert tried["to"] == f"{LAN4}:{port}" and tried["tls"] == "TLSv1.3"
        assert tried["connected_after_ms"] >= 0 and tried["answered_after_ms"] >= 0
    assert trial(report, "dhcpv4", "doq")["outcome"] == "not-tried"


def test_who_hangs_up_once_is_tried_again_and_nothing_is_said_of_it(foreign: Foreign) -> None:
    foreign.offers({"priority": 1, "adn": NAME, "addresses": [LAN4], "alpn": ["dot"], "port": 8853})
    with Unbound(foreign.router.ns, foreign.certificate(NAME), LAN4), \
            hangs_up_once(foreign.router.ns, (LAN4, 8853), (LAN4, 853)):
        tried = trial(foreign.discovers(), "dhcpv4", "dot")
    assert tried["outcome"] == "works" and tried["to"] == f"{LAN4}:8853", tried
    assert not tried.get("why"), tried


def test_certificates_that_are_not_good_are_told_apart(foreign: Foreign) -> None:
    foreign.offers(OFFER)
    stranger = Authority(foreign.home.folder / "stranger", "A stranger's root")
    for certificate, why in (
            (foreign.certificate(NAME, not_before=-2 * DAY, not_after=-DAY, file="old"),
             "its certificate has expired"),
            (foreign.certificate("other.example.org"), "its certificate is for another name"),
            (stranger.leaf(NAME), "its certificate is signed by nobody who is trusted here")):
        with Unbound(foreign.router.ns, certificate, LAN4):
            report = foreign.discovers(status=1)
        for alpn in ("dot", "h2"):
            tried = trial(report, "dhcpv4", alpn)
            assert (tried["outcome"], tried["why"]) == ("refused", why)
        assert not report["usable"] and report["sentence"] == (
            f"The network of eth0 offers {NAME} ({LAN4}), but it does not work ({why}): hosts fall "
            "back to clear text.")
    # The control: with that stranger's root among the anchors it would be good.
    with Unbound(foreign.router.ns, stranger.leaf(NAME), LAN4):
        assert foreign.discovers(roots=stranger.root)["usable"]


def test_nothing_listens_and_nothing_comes_back(foreign: Foreign) -> None:
    foreign.offers(OFFER)
    report = foreign.discovers(status=1)
    tried = trial(report, "dhcpv4")
    assert (tried["outcome"], tried["why"]) == ("unreachable", "nothing listens there")
    foreign.router.ns.nft("table inet hole { chain in { type filter hook input priority 0;"
                          " tcp dport { 443, 853 } drop; }; }")
    try:
        assert trial(foreign.discovers(status=1), "dhcpv4")["outcome"] == "silent"
    finally:
        foreign.router.ns.nft("delete table inet hole")


def test_a_designated_resolver_proves_the_address_or_may_be_opportunistic(foreign: Foreign) -> None:
    rdata = encoded(foreign.router, "svcb", DESIGNATION)
    foreign.says("local=/resolver.arpa/", f"dns-rr=_dns.resolver.arpa,64,{rdata.hex()}")
    # It holds the address of the plain resolver: verified (RFC 9462 section 4.2).
    with Unbound(foreign.router.ns, foreign.certificate(NAME, LAN4, LAN6, file="both"), LAN4, LAN6):
        report = foreign.discovers()
        assert (designated(report, LAN4)["outcome"], designated(report, LAN4)["proof"]) == (
            "works", "address")
        assert f"ask {LAN4}" in report["sentence"] or f"ask {LAN6}" in report["sentence"]
    # The name in the record proves nothing (section 4.3).
    with Unbound(foreign.router.ns, foreign.certificate(NAME), LAN4, LAN6):
        report = foreign.discovers(status=1)
        tried = designated(report, LAN4)
        assert (tried["outcome"], tried["proof"]) == ("works", "nothing")
        assert "does not prove the address" in tried["why"]
        assert "nothing proves who it is" in report["sentence"]
        # Designated by another address than its own, it has to prove that one.
        assert designated(report, LAN6)["outcome"] == "refused"
    # The control: without the record nobody is designated.
    foreign.says()
    assert resolvers(foreign.discovers(status=1), "svcb") == []


def test_a_name_alone_is_looked_up(foreign: Foreign) -> None:
    rdata = encoded(foreign.router, "svcb", DESIGNATION | {"adn": "a1.example.org"})
    option = encoded(foreign.router, "dhcpv4", {"priority": 1, "adn": NAME})
    foreign.says(f"dhcp-option-force=162,{option.hex(':')}", f"dns-rr=_dns.{NAME},64,{rdata.hex()}")
    with Unbound(foreign.router.ns, foreign.certificate(NAME), LAN4):
        report = foreign.discovers()
    assert "systemd passes it over" in resolvers(report, "dhcpv4")[0]["remarks"][0]
    found = next(offer for offer in report["offers"] if offer.get("of"))
    assert found["of"] == f"{NAME}." and found["resolvers"][0]["trials"][0]["outcome"] == "works"


def test_a_resolver_that_designates_many_and_says_no_more_delays_nobody(foreign: Foreign) -> None:
    """RFC 9462: targets without addresses are looked up, but not for as long as it pleases."""
    host = foreign.host
    designations = [encoded(foreign.router, "svcb", {
        "priority": number, "adn": f"dns{number}.example.org", "alpn": ["dot"]})
        for number in range(1, 17)]
    asked: list[str] = []

    def answer(query: dns.message.Message) -> dns.message.Message | None:
        """Of a resolver that designates many and is silent where they are."""
        asked.append(query.question[0].name.to_text())
        if query.question[0].rdtype != dns.rdatatype.SVCB:
            return None
        response = dns.message.make_response(query)
        response.answer.append(dns.rrset.from_rdata_list(query.question[0].name, 60, [
            dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.SVCB, octets, 0, len(octets))
            for octets in designations]))
        return response

    foreign.says("dhcp-option=6,192.168.77.66", "dhcp-option=option6:23,[fd77:77:77::1]")
    talker = foreign.home.host()
    talker.ns.ip("addr add 192.168.77.66/24 dev eth0")
    looked_up = {f"dns{number}.example.org." for number in range(1, 5)}
    with plain_resolver(talker, "192.168.77.66", answer):
        for _ in range(3):  # it may have answered too late, on a busy machine
            begun = time.monotonic()
            report = foreign.discovers(status=1)
            took_s = time.monotonic() - begun
            if looked_up <= set(asked):
                break
    assert looked_up <= set(asked)
    assert not {f"dns{number}.example.org." for number in range(5, 17)} & set(asked)
    assert len([each for each in report["offers"] if each["from"]["address"] == "192.168.77.66"
                and each["carrier"] == "svcb"]) == len(designations)
    assert any("names more encrypted ones" in note for note in report["notes"])
    # A second to hear, one to ask, one to look up, none to try what has no address; one to look up
    # each of those that are left out would be twelve.
    assert took_s < 12


def test_a_preconfigured_domain_is_upgraded_to_a_name_within_it_alone(foreign: Foreign) -> None:
    """draft-btw-add-home-11 section 7.1.3 and its figure 17, the rogue server among them."""
    ours, rogue = "cpe1-internal.example.net", "rs.example.org"
    forwarder = OFFER | {"adn": ours, "alpn": ["dot"]}
    foreign.offers(forwarder | {"priority": 2}, forwarder | {"adn": rogue})
    both = foreign.certificate(ours, rogue)
    with Unbound(foreign.router.ns, both, LAN4):
        report = foreign.discovers("--preconfigured", "*.example.net")
        assert report["upgrade"] == {
            "upgrades": True, "refused": [rogue],
            "sentence": f"A host with *.example.net preconfigured upgrades to {ours} ({LAN4}) over "
                        "TLS: its certificate proves that name."}
        # The control: a host without that takes the rogue server, whose certificate is good.
        assert rogue in foreign.discovers()["sentence"]
        # The rogue server alone, under its own name and under one that it can't prove.
        foreign.offers(forwarder | {"adn": rogue})
        report = foreign.discovers("--preconfigured", "*.example.net", status=1)
        assert not report["upgrade"]["upgrades"] and report["usable"]
    foreign.offers(forwarder)
    with Unbound(foreign.router.ns, foreign.certificate(rogue), LAN4):
        report = foreign.discovers("--preconfigured", "*.example.net", status=1)
        assert "its certificate is for another name" in report["upgrade"]["sentence"]
    wrong = foreign.host.ns.run(str(BINARY), "discover", "-i", "eth0", "--preconfigured", "a.*.net",
                                check=False)
    assert wrong.returncode == 2


def test_a_foreign_router_of_kea_radvd_and_unbound(foreign: Foreign) -> None:
    """What one network tells by programs none of which is ours, nor the daemon that we know best."""
    router = foreign.router
    router.stop_dnsmasq()
    radvd = ra.Radvd(router)
    radvd.start()
    kea = Kea(router, encode.dhcpv4(1, NAME, LAN4))
    try:
        with Unbound(router.ns, foreign.certificate(NAME), LAN4, LAN6):
            report = foreign.discovers()
            assert report["usable"] and report["sentence"] == (
                f"Hosts on eth0 use {NAME} ({LAN4}) over TLS: it answers, and its certificate is "
                "good.")
            assert told(report, "dhcpv4") == [(NAME, (LAN4,))]
            assert trial(report, "dhcpv4")["outcome"] == "works"
            plain = {(each["carrier"], each["address"]) for each in report["plain"]}
            assert plain == {("dhcpv4", LAN4), ("ra", LAN6)}
            # The control: radvd alone names a plain resolver, and no one else does.
            kea.stop()
            report = foreign.discovers(status=1)
            assert told(report, "dhcpv4") == [] and not report["usable"]
            assert {each["address"] for each in report["plain"]} == {LAN6}
    finally:
        kea.stop()
        radvd.stop()
        router.restart_dnsmasq()
