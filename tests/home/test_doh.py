"""DNS over HTTPS in a home: hosts are told of it, curl and a browser use it."""

from __future__ import annotations

import base64
import subprocess
from typing import Any, Iterator

import dns.message
import pytest

from lab import Home
from lab.browser import Browser
from lab.capture import Capture
from lab.discover import discover, trial
from lab.host import Host
from lab.isp import ADN
from lab.program import Program, eventually
from lab.router import LAN4, LAN6, WAN4, WAN6, Router
from test_ddr import ASKED, designated
from test_wan_is_closed import OURS, knock

TEMPLATE = f"https://{ADN}/dns-query{{?dns}}"
PAGE = "www.example.org"
PAGE4, PAGE6 = "198.51.100.81", "2001:db8:80::81"  # in the zone of example.org


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with Home() as home:
        home.router.configure(resolver={"adn": ADN, "doh": [{}, {"path": "/kitchen{?dns}"}]})
        home.router.start_porchlight()
        home.router.until_announced()
        home.router.until("DNS over HTTPS is announced", announces_doh)
        yield home


@pytest.fixture(scope="module")
def host(home: Home) -> Host:
    host = home.host()
    host.join()
    return host


@pytest.fixture(scope="module")
def page(home: Home) -> str:
    """A page of the Internet; its name is in no host's cache."""
    isp = home.isp.ns
    isp.ip(f"addr add {PAGE4}/32 dev lo", f"addr add {PAGE6}/128 dev lo")
    folder = isp.folder / "page"
    folder.mkdir()
    (folder / "index.html").write_text(
        "<title>A page</title><p id=p></p><script>p.textContent='it' + ' loads'</script>")
    isp.start("page", "/usr/bin/python3", "-m", "http.server", "80", "--bind", PAGE4,
              "--directory", str(folder))
    eventually("the page is there", lambda: isp.accepts(PAGE4, 80))
    return f"http://{PAGE}/"


def announces_doh(status: dict[str, Any]) -> bool:
    return any("h2" in resolver["alpn"] for link in status["plan"]
               for resolver in link["resolvers"])


def curl(host: Host, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return host.ns.run("curl", "-sS", "--max-time", "10", "--cacert", str(host.trust), *words,
                       check=check)


def test_hosts_are_told_of_both_protocols_in_one_entry_and_of_each_path(
        home: Home, host: Host) -> None:
    both = [(("dot", "h2"), "/dns-query{?dns}"), (("h2",), "/kitchen{?dns}")]
    # dnsmasq sends one DHCPv6 option of a kind: the first entry.
    for told, expected in ((host.dhcpv4(), both), (host.dhcpv6(), both[:1]),
                           ([option.resolver for option in host.ra()], both)):
        assert [(one.alpn, one.dohpath) for one in told] == expected, told
    report = discover(host.ns, roots=host.trust)
    assert trial(report, "dhcpv4", "h2")["outcome"] == "works"
    assert trial(report, "dhcpv4", "dot")["outcome"] == "works"


def test_curl_asks_by_get_and_post_at_both_paths_and_addresses(home: Home, host: Host) -> None:
    query = bytes.fromhex("000001000001000000000000") + b"\3www\7example\3net\0\0\1\0\1"
    (host.ns.folder / "query").write_bytes(query)
    text = base64.urlsafe_b64encode(query).decode().rstrip("=")
    for address in (LAN4, f"[{LAN6}]"):
        for path in ("dns-query", "kitchen"):
            resolve = ("--resolve", f"{ADN}:443:{address}")
            for how in (("--http2", f"https://{ADN}/{path}?dns={text}"),
                        ("--http2", "-H", "content-type: application/dns-message",
                         "--data-binary", f"@{host.ns.folder}/query", f"https://{ADN}/{path}")):
                answer = curl(host, *resolve, "-o", "/dev/null", "-w",
                              "%{http_code} %{http_version} %{content_type}", *how)
                assert answer.stdout == "200 2 application/dns-message", answer


def test_http_1_1_is_spoken_where_the_configuration_names_it(home: Home, host: Host) -> None:
    def status_and_version(how: str) -> str:
        return curl(host, "--resolve", f"{ADN}:443:{LAN4}", how, "-o", "/dev/null", "-w",
                    "%{http_code} %{http_version}", f"https://{ADN}/dns-query", check=False).stdout

    # A request without a question: the answer shows that it was heard.
    assert status_and_version("--http2") == "400 2"
    assert status_and_version("--http1.1").startswith("000")
    home.router.configure(resolver={"adn": ADN, "doh": [
        {"versions": ["h2", "http/1.1"]}, {"path": "/kitchen{?dns}"}]})
    home.router.reload_and_wait()
    eventually("it is spoken", lambda: status_and_version("--http1.1") == "400 1.1")
    assert status_and_version("--http2") == "400 2"
    home.router.configure(resolver={"adn": ADN, "doh": [{}, {"path": "/kitchen{?dns}"}]})
    home.router.reload_and_wait()
    eventually("it is not", lambda: status_and_version("--http1.1").startswith("000"))


def test_dns_itself_designates_each_transport_in_a_record_of_its_own(
        home: Home, host: Host) -> None:
    both = [(1, ("dot",), None), (2, ("h2",), "/dns-query{?dns}"), (3, ("h2",), "/kitchen{?dns}")]

    def told(answer: dns.message.Message) -> list[tuple]:
        found = designated(answer)
        assert {one.adn for one in found} == {ADN} and {one.port for one in found} == {None}
        assert found[0].addresses == (LAN4, LAN6)
        return [(one.priority, one.alpn, one.dohpath) for one in found]

    for server in (LAN4, LAN6):
        eventually("the resolver says so",
                   lambda: told(host.ask(ASKED, server, ADN, kind="SVCB")) == both, every_s=0.5)
        # dnsmasq may keep in mind for a minute that there was none.
        eventually("dnsmasq does", lambda: told(host.ask_clear(ASKED, server, "SVCB")) == both,
                   within_s=180)
    # As another program reads them.
    records = host.ns.run("kdig", f"@{LAN4}", ASKED, "SVCB", "+short").stdout.splitlines()
    assert sorted(records) == [f"1 {ADN}. alpn=dot", f'2 {ADN}. alpn=h2 key7="/dns-query{{?dns}}"',
                               f'3 {ADN}. alpn=h2 key7="/kitchen{{?dns}}"'], records


def test_a_page_loads_by_curl_and_no_name_is_in_clear(home: Home, host: Host, page: str) -> None:
    doh = ("--resolve", f"{ADN}:443:{LAN4}", "--doh-url", f"https://{ADN}/dns-query")
    with Capture(host.ns, "eth0") as seen:
        assert "A page" in curl(host, *doh, page).stdout
    assert not seen.count("udp.port == 53 or tcp.port == 53")
    with Capture(host.ns, "eth0") as control:
        assert "A page" in curl(host, page).stdout
    assert control.count("udp.port == 53 or tcp.port == 53")


def test_a_page_loads_in_chromium_and_no_name_is_in_clear(
        home: Home, host: Host, page: str) -> None:
    with Capture(host.ns, "eth0") as seen:
        assert "it loads" in Browser(host, (TEMPLATE, LAN4)).page(page)
    assert not seen.count("udp.port == 53 or tcp.port == 53")
    assert (("tcp", LAN4, 443)) in seen.destinations()
    with Capture(host.ns, "eth0") as control:
        assert "it loads" in Browser(host, None).page(page)
    assert control.count("udp.port == 53 or tcp.port == 53")


def hold_443(router: Router) -> Program:
    """Another program of the router's, as its own web pages are."""
    holder = router.ns.start("pages", "/usr/bin/python3", "-m", "http.server", "443", "--bind",
                             "0.0.0.0")
    eventually("443 is held", lambda: router.ns.accepts("127.0.0.1", 443))
    return holder


def test_where_443_is_held_hosts_hear_of_what_works(home: Home, host: Host) -> None:
    router = home.router
    assert router.stop_porchlight() == 0
    holder = hold_443(router)
    checked = router.command("check")
    assert "443 is held by python3; nothing is served there; 8443 is free" in checked.stdout
    router.start_porchlight()
    status = router.until_announced()
    assert any("serve DNS over HTTPS at port 443 on br-lan" in one for one in status["cannot"])
    router.until("DNS over TLS alone is announced", lambda status: not announces_doh(status))
    assert [one.alpn for one in host.dhcpv4()] == [("dot",)]

    def designated_alpn() -> list[tuple[str, ...]]:
        return [one.alpn for one in designated(host.ask(ASKED, LAN4, ADN, kind="SVCB"))]

    eventually("DNS designates DNS over TLS alone", lambda: designated_alpn() == [("dot",)],
               every_s=0.5)  # each is a handshake, of which a host has so many a second
    holder.stop()
    router.until("DNS over HTTPS is announced", announces_doh)
    assert ("dot", "h2") in [one.alpn for one in host.dhcpv4()]
    eventually("DNS designates both", lambda: designated_alpn() == [("dot",), ("h2",), ("h2",)],
               every_s=0.5)


def test_the_wan_is_closed_to_it(home: Home, host: Host) -> None:
    for address in (LAN4, LAN6):
        assert knock(host.ns, address, 443, within_s=10) == "accepted"
    for address in OURS:
        assert knock(home.isp.ns, address, 443) == "silence", address
    # Where nobody listens and no rule stands: the knocking comes to the router.
    for address in (WAN4, WAN6):
        assert knock(home.isp.ns, address, 444, within_s=10) == "refused", address
