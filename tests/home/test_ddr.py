"""Hosts that know neither option ask DNS itself for the encrypted resolver (DDR, RFC 9462)."""

from __future__ import annotations

import json
import ssl
from typing import Iterator

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from lab import Home, decode
from lab.host import Host, addresses
from lab.isp import ADN
from lab.program import eventually
from lab.router import BINARY, GUEST4, GUEST6, LAN4, LAN6, Router

ASKED = "_dns.resolver.arpa"
BY_NAME = f"_dns.{ADN}"
# What may stand in the way of such a question in a dnsmasq's configuration.
CAUTIOUS = "stop-dns-rebind\nfilterwin2k\ndomain-needed\nbogus-priv\nadd-subnet=32,128\nadd-mac\n"


@pytest.fixture(scope="module")
def host(home: Home) -> Host:
    host = home.host()
    host.join()
    until_designated(host, LAN4)
    return host


@pytest.fixture
def other_home() -> Iterator[Home]:
    with Home() as home:
        yield home


def unproved() -> ssl.SSLContext:
    """Of a client that encrypts without proof (RFC 9462 section 4.3)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def by_dot(host: Host, name: str, server: str, kind: str = "SVCB",
           context: ssl.SSLContext | None = None) -> dns.message.Message:
    """Asks over DoT as one who knows the address alone: it is checked where `context` does."""
    with host.ns.entered():
        return dns.query.tls(dns.message.make_query(name, kind, use_edns=0), server, timeout=5,
                             ssl_context=context or unproved(), server_hostname=server)


def until_designated(host: Host, server: str) -> None:
    """The agent says in `status` what the forwarder tells a moment later. Not by dnsmasq, which may
    keep in mind that there is none."""
    eventually("DNS tells it", lambda: by_dot(host, ASKED, server).answer)


def designated(answer: dns.message.Message) -> list[decode.Resolver]:
    """The answer's designations with the addresses told along, as a plan's entries."""
    assert answer.rcode() == dns.rcode.NOERROR, answer
    along: dict[str, list[str]] = {}
    for rrset in answer.additional:
        name = rrset.name.to_text(omit_final_dot=True)
        along.setdefault(name, []).extend(each.address for each in rrset)
        assert 60 <= rrset.ttl <= 300
    found = []
    for rrset in answer.answer:
        assert rrset.rdtype == dns.rdatatype.SVCB and 60 <= rrset.ttl <= 300, answer
        for record in rrset:
            target = record.target.to_text(omit_final_dot=True)
            found.append(decode.svcb_record(record.to_wire(), tuple(along.pop(target, ()))))
    assert not along, "addresses of something else are told along"
    return found


def planned(status: dict, link: str) -> list[decode.Resolver]:
    """The link's plan, both families in an entry."""
    return [decode.Resolver(entry["priority"], entry["adn"].rstrip("."),
                            tuple(entry["addresses"]), tuple(entry["alpn"]), entry.get("port"),
                            entry.get("dohpath"))
            for part in status["plan"] if part["link"] == link for entry in part["resolvers"]]


def says_none(answer: dns.message.Message) -> bool:
    """NODATA in its right form (RFC 2308 section 2.2)."""
    return (answer.rcode() == dns.rcode.NOERROR and not answer.answer
            and [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA])


def with_files(home: Home, *names: str) -> dict:
    chain, key = home.internet.leaf(*names, file="router")
    return {"files": {"chain": str(chain), "key": str(key)}}


def rows(router: Router) -> dict[str, dict]:
    return {row["link"]: row for row in router.status()["announced"]["carriers"]
            if row["carrier"] == "ddr"}


def test_dnsmasq_and_dot_tell_what_the_plan_says(home: Home, host: Host) -> None:
    status = home.router.status()
    plan = planned(status, "br-lan")
    assert plan == [decode.Resolver(1, ADN, (LAN4, LAN6), ("dot",))]
    for name in (ASKED, ASKED.upper(), BY_NAME):
        for server in (LAN4, LAN6):
            assert designated(host.ask_clear(name, server, "SVCB")) == plan
            assert designated(host.ask(name, server, ADN, kind="SVCB")) == plan
    assert status["announced"]["ddr"] and "DDR" in status["summary"]


def test_the_status_shows_the_octets_and_that_nobody_can_verify_them(
        home: Home, host: Host) -> None:
    row = rows(home.router)["br-lan"]
    code, octets = row["options"][0].split()
    answer = host.ask_clear(ASKED, LAN4, "SVCB")
    assert int(code) == dns.rdatatype.SVCB
    assert answer.answer[0][0].to_wire() == bytes.fromhex(octets)
    shown = json.loads(host.ns.run(str(BINARY), "options", "decode", "--carrier", "svcb",
                                   octets).stdout)
    assert shown[0]["adn"] == f"{ADN}." and shown[0]["usable"]
    # No public CA vouches for a private address, and this certificate holds the name alone.
    ddr = home.router.status()["ddr"]
    assert ddr == {"announced": True, "verified_possible": False,
                   "why": f"the certificate lacks {LAN4}, {LAN6} of br-lan"}
    told = home.router.command("status").stdout
    assert f"br-lan ddr: record 64 {octets}\n    hosts can't verify it" in told, told


def test_a_host_of_a_private_address_encrypts_to_that_very_address(
        home: Home, host: Host) -> None:
    for server in (LAN4, LAN6):
        found = designated(host.ask_clear(ASKED, server, "SVCB"))[0]
        # RFC 9462 section 4.3: only where the encrypted resolver has the address of the plain one.
        assert server in found.addresses and found.alpn == ("dot",) and found.port is None
        assert addresses(by_dot(host, "www.example.org", server, "A")) == ["198.51.100.81"]
        # Section 4.2: who insists on proof refuses.
        with pytest.raises(ssl.SSLCertVerificationError):
            by_dot(host, "www.example.org", server, "A", host.tls_context())


def test_a_client_without_a_server_name_is_shown_the_certificate(home: Home, host: Host) -> None:
    shown = host.ns.run("openssl", "s_client", "-connect", f"{LAN4}:853", "-noservername",
                        "-CAfile", str(home.trust), "-verify_hostname", ADN, check=False)
    assert f"Verified peername: {ADN}" in shown.stdout, shown.stdout
    seen = host.ns.run("kdig", "-d", f"@{LAN4}", "+tls", ASKED, "SVCB", "+timeout=3", "+retry=0")
    assert "status: NOERROR" in seen.stdout and f"{ADN}." in seen.stdout, seen.stdout


def test_other_types_and_names_have_no_data(host: Host) -> None:
    for name, kind in ((ASKED, "A"), (ASKED, "HTTPS"), (ASKED, "TXT"), ("resolver.arpa", "SVCB"),
                       ("resolver.arpa", "AAAA"), ("x.resolver.arpa", "SVCB"), (BY_NAME, "AAAA")):
        assert says_none(host.ask_clear(name, LAN4, kind)), (name, kind)
        assert says_none(host.ask(name, LAN4, ADN, kind=kind)), (name, kind)


def test_no_such_question_leaves_the_home(home: Home, host: Host) -> None:
    unbound = home.isp.unbound
    with home.capture_wan() as wan:
        for name in (ASKED, BY_NAME, "resolver.arpa", f"leak.{ASKED}", f"_853.{BY_NAME}"):
            host.ask_clear(name, LAN4, "SVCB")
            host.ask(name, LAN4, ADN, kind="SVCB")
            host.ask(name, LAN4, ADN, kind="TXT")
        # The control: of another name the same resolver hears, by either way.
        for number, ask in enumerate((lambda name: host.ask_clear(name, LAN4, "SVCB"),
                                      lambda name: host.ask(name, LAN4, ADN, kind="SVCB"))):
            ask(f"_dns.control{number}.example.org")
            eventually("the upstream is asked", lambda: f"_dns.control{number}" in unbound.said())
    assert "resolver.arpa" not in unbound.said() and BY_NAME not in unbound.said()
    assert not wan.holds("resolver.arpa")


def test_a_certificate_with_the_address_is_verified_and_its_loss_is_told_at_once(
        other_home: Home) -> None:
    router = other_home.router
    with (router.folder / "dnsmasq.conf").open("a") as conf:
        conf.write(CAUTIOUS)
    router.restart_dnsmasq()
    router.configure(certificate=with_files(other_home, ADN, LAN4, LAN6))
    router.start_porchlight()
    status = router.until_announced()
    assert status["ddr"] == {"announced": True, "verified_possible": True}
    assert {LAN4, LAN6} < set(status["certificate"]["subject_alt_names"])
    host = other_home.host()
    host.join()
    until_designated(host, LAN4)
    plan = planned(status, "br-lan")
    for server in (LAN4, LAN6):
        assert designated(host.ask_clear(ASKED, server, "SVCB")) == plan
        verified = by_dot(host, "www.example.org", server, "A", host.tls_context())
        assert addresses(verified) == ["198.51.100.81"]

    router.configure(certificate=with_files(other_home, ADN), announce={"ddr": False})
    router.reload_porchlight()
    status = router.until("it is switched off", lambda status: not status["announced"]["ddr"])
    assert status["announced"]["dhcpv4"] and status["ddr"]["why"] == "announce.ddr is false"
    eventually("DNS says so", lambda: says_none(by_dot(host, ASKED, LAN4)))
    assert says_none(host.ask_clear(ASKED, LAN4, "SVCB"))

    router.configure(certificate=with_files(other_home, ADN))
    router.reload_porchlight()
    eventually("it is told again", lambda: designated(by_dot(host, ASKED, LAN4)) == plan)
    # A certificate for another name closes the gate; it is served all the same.
    router.configure(certificate=with_files(other_home, "cpe2.example.net"))
    router.reload_porchlight()
    status = router.until("nothing is announced", lambda status: not status["announced"]["ddr"])
    assert not status["ddr"]["announced"] and "certificate" in status["ddr"]["why"]
    for name in (ASKED, BY_NAME):
        eventually("DNS says so", lambda: says_none(by_dot(host, name, LAN4)))
        assert says_none(host.ask_clear(name, LAN4, "SVCB"))


def test_the_transport_that_is_preferred_comes_first_and_a_port_is_told(other_home: Home) -> None:
    router, host = other_home.router, other_home.host()
    router.configure(certificate=with_files(other_home, ADN), announce={"ddr_prefers": "doh"},
                     resolver={"adn": ADN, "dot": {"port": 8853},
                               "doh": [{"port": 8443, "versions": ["h2", "http/1.1"]}]})
    router.start_porchlight()
    router.until_announced()
    host.join()

    def told() -> list[tuple]:
        return [(one.priority, one.alpn, one.port, one.dohpath)
                for one in designated(host.ask_clear(ASKED, LAN4, "SVCB"))]

    first = (1, ("h2", "http/1.1"), 8443, "/dns-query{?dns}")
    eventually("DNS tells both", lambda: told() == [first, (2, ("dot",), 8853, None)], within_s=180,
               every_s=0.5)
    # What the options say stays as it is: DNS over TLS, then HTTPS.
    assert [(one.alpn, one.port) for one in host.dhcpv4()] == [
        (("dot",), 8853), (("h2", "http/1.1"), 8443)]
    rows_told = rows(router)["br-lan"]["options"]
    assert len(rows_told) == 2 and all(each.startswith("64 000") for each in rows_told)


def test_no_host_hears_of_another_links_address(other_home: Home) -> None:
    router = other_home.router
    router.add_guest_link()
    guest = other_home.host("guest", link="br-guest")
    host = other_home.host()
    both = [{"interface": "br-lan"}, {"interface": "br-guest"}]
    router.configure(certificate=with_files(other_home, ADN), lan=both)
    router.start_porchlight()
    router.until("both links are told", lambda status: len(
        [row for row in status["announced"]["carriers"] if row["announced"]]) == 8)
    host.join()
    guest.ask_udhcpc()
    everywhere = [decode.Resolver(1, ADN, (), ("dot",))]
    own = {host: decode.Resolver(1, ADN, (LAN4, LAN6), ("dot",)),
           guest: decode.Resolver(1, ADN, (GUEST4, GUEST6), ("dot",))}
    for each, server in ((host, LAN4), (guest, GUEST4)):
        until_designated(each, server)
        # dnsmasq does not say whose host asks, so it is told what is true of both.
        assert designated(each.ask_clear(ASKED, server, "SVCB")) == everywhere
        assert server in addresses(each.ask_clear(ADN, server))
        assert designated(by_dot(each, ASKED, server)) == [own[each]]

    # Hosts of a link that is told nothing must not hear it from dnsmasq, so nobody does.
    router.configure(certificate=with_files(other_home, ADN),
                     lan=[both[0], both[1] | {"mode": "off"}])
    router.reload_porchlight()
    eventually("the guest hears of none",
               lambda: says_none(guest.ask_clear(ASKED, GUEST4, "SVCB")))
    assert says_none(host.ask_clear(ASKED, LAN4, "SVCB"))
    eventually("over TLS it is known who asks",
               lambda: designated(by_dot(host, ASKED, LAN4)) == [own[host]])
    assert "another link" in rows(router)["br-lan"]["why"]
    assert router.status()["announced"]["dhcpv4"], "DHCP can tell links apart"
