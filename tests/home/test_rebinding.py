"""Names of the Internet that lead into the home lead nowhere, unless somebody wants them to."""

from __future__ import annotations

import contextlib

import dns.edns
import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from lab import Home
from lab.host import Host, addresses
from lab.isp import ADN, RESOLVER4
from lab.program import eventually
from lab.router import LAN4, LAN6

BLOCKED = 15  # RFC 8914 section 4.16
LIES = [("inward.example.org", "A"), ("inward.example.org", "AAAA"),
        ("inward.example.org", "HTTPS"), ("hint6.example.org", "HTTPS"),
        ("mixed.example.org", "A"), ("alias.example.org", "A"), ("nat64.example.org", "AAAA")]
# The like of each, which leads outside.
TRUTHS = [("www.example.org", "A"), ("www.example.org", "AAAA"), ("outward.example.org", "HTTPS"),
          ("nat64.example.org", "A"), ("translated.example.org", "AAAA"),
          ("alias.example.org", "CNAME")]


@pytest.fixture(scope="module")
def cautious_home(home: Home) -> Home:
    """Its dnsmasq has a filter of its own."""
    with (home.router.folder / "dnsmasq.conf").open("a") as conf:
        conf.write("stop-dns-rebind\n")
    home.router.restart_dnsmasq()
    return home


@pytest.fixture(scope="module")
def host(cautious_home: Home) -> Host:
    host = cautious_home.host()
    host.join()
    return host


def errors(answer: dns.message.Message) -> list[int]:
    return [int(option.code) for option in answer.options
            if option.otype == dns.edns.OptionType.EDE]


def is_blocked(answer: dns.message.Message) -> bool:
    """NODATA that a host keeps, and the reason."""
    return (answer.rcode() == dns.rcode.NOERROR and not answer.answer
            and [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA]
            and 0 < answer.authority[0].ttl <= 60 and errors(answer) == [BLOCKED])


def upstream_says(home: Home, name: str, kind: str) -> dns.message.Message:
    with home.isp.ns.entered():
        return dns.query.udp(dns.message.make_query(name, kind), RESOLVER4, timeout=5)


def by_dnsmasq(host: Host, name: str) -> list[str] | None:
    """Nothing while it is being restarted."""
    with contextlib.suppress(dns.exception.Timeout, OSError):
        return addresses(host.ask_clear(name, LAN4))
    return None


def blocked_so_far(home: Home) -> int:
    return home.router.status()["counters"]["answers_blocked_rebinding"]


def test_what_leads_into_the_home_is_not_heard(cautious_home: Home, host: Host) -> None:
    home = cautious_home
    before = blocked_so_far(home)
    for name, kind in LIES:
        assert upstream_says(home, name, kind).answer, "no lie is told"
        asked = home.isp.unbound.said().count(f" {name}. {kind} IN")
        answers = [host.ask(name, LAN4, ADN, kind=kind), host.ask(name, LAN6, ADN, kind=kind)]
        assert all(is_blocked(answer) for answer in answers), (name, kind, answers)
        # The second came from the cache, reason and all.
        assert home.isp.unbound.said().count(f" {name}. {kind} IN") == asked + 1
        assert not host.ask_clear(name, LAN4, kind).answer
    eventually("they are counted, each once",
               lambda: blocked_so_far(home) == before + len(LIES))
    shown = host.kdig("inward.example.org", LAN4, ADN)
    assert shown.trusted and "Blocked" in shown.said, shown.said
    for name, kind in TRUTHS:
        answer = host.ask(name, LAN4, ADN, kind=kind)
        assert answer.answer and not errors(answer), (name, kind, answer)
        assert answer.answer == upstream_says(home, name, kind).answer
    # To dnsmasq's own filter addresses of documentation, which this Internet is made of, are inside.
    assert addresses(host.ask_clear("beyond.example.org", LAN4)) == ["11.0.0.1"]
    # What the home itself says of itself is nobody's lie.
    for name in ("router.lan", ADN):
        assert addresses(host.ask(name, LAN4, ADN)) == [LAN4]
        assert addresses(host.ask_clear(name, LAN4)) == [LAN4]


def test_an_exception_lets_its_names_through_and_nothing_else(
        cautious_home: Home, host: Host) -> None:
    home = cautious_home
    assert is_blocked(host.ask("inward.example.org", LAN4, ADN))
    home.router.configure(rebinding={"allow_domains": ["inward.example.org"]})
    home.router.reload_and_wait()
    eventually("the exception holds",
               lambda: addresses(host.ask("inward.example.org", LAN4, ADN)) == [LAN4])
    assert addresses(host.ask("inward.example.org", LAN4, ADN, kind="AAAA")) == [LAN6]
    assert host.ask("inward.example.org", LAN4, ADN, kind="HTTPS").answer
    for name in ("mixed.example.org", "alias.example.org"):
        assert is_blocked(host.ask(name, LAN4, ADN))
    # dnsmasq was told too, or its own filter would stand in the way.
    eventually("dnsmasq lets it through",
               lambda: by_dnsmasq(host, "inward.example.org") == [LAN4])
    assert not host.ask_clear("mixed.example.org", LAN4).answer

    home.router.configure(rebinding={"block": False})
    home.router.reload_and_wait()
    eventually("nothing is blocked",
               lambda: len(addresses(host.ask("mixed.example.org", LAN4, ADN))) == 2)
    assert addresses(host.ask("alias.example.org", LAN4, ADN)) == ["10.0.0.1"]


def test_an_exception_for_a_device_is_nobody_elses(home: Home) -> None:
    developer, other = home.host(), home.host()
    for host in (developer, other):
        host.join()
    home.router.configure()
    home.router.reload_and_wait()
    eventually("it is blocked for all",
               lambda: is_blocked(developer.ask("inward.example.org", LAN4, ADN)))
    home.router.configure(rebinding={"allow_devices": [
        {"mac": developer.mac(), "domains": ["inward.example.org"]}]})
    home.router.reload_and_wait()
    eventually("the exception holds",
               lambda: addresses(developer.ask("inward.example.org", LAN4, ADN)) == [LAN4])
    assert is_blocked(other.ask("inward.example.org", LAN4, ADN))
    eventually("its IPv6 address is known, too",
               lambda: addresses(developer.ask("inward.example.org", LAN6, ADN)) == [LAN4])
    assert is_blocked(other.ask("inward.example.org", LAN6, ADN))
    assert is_blocked(developer.ask("mixed.example.org", LAN4, ADN))
    # dnsmasq does not say for whom it asks.
    assert not developer.ask_clear("inward.example.org", LAN4).answer
