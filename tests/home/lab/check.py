"""Whether the home itself works, before porchlight has any part in it."""

from __future__ import annotations

import json
import ssl
import time
import urllib.request
from typing import Callable

from . import decode
from .home import Home
from .host import addresses
from .isp import ADN, AUTHORITY4, DIRECTORY, RESOLVER4, RESOLVER6, RESOLVER_ADN
from .router import LAN4


def check(home: Home, tell: Callable[[str], None] = print) -> None:
    """Raises AssertionError at the first part that does not do its work."""
    host = home.host()

    def proved(what: str, start: float) -> None:
        tell(f"{what} ({time.monotonic() - start:.2f} s)")

    now = time.monotonic()
    told = host.join()
    assert told["router"] == LAN4 and told["dns"] == LAN4 and "opt162" not in told, told
    proved("a host gets an address by DHCPv4, and no encrypted resolver", now)

    now = time.monotonic()
    assert host.dhcpv4_by_dhclient() == [] and host.dhcpv6_by_dhclient() == []
    proved("dhclient gets answers over IPv4 and IPv6, and no encrypted resolver", now)
    now = time.monotonic()
    assert host.dhcpv6() == []
    proved("DHCPv6 answers scapy", now)

    now = time.monotonic()
    advertisement = next(host.advertisements(5))
    assert advertisement.router_lifetime_s == 1800 and advertisement.encrypted_dns() == []
    proved("the router advertises itself", now)

    now = time.monotonic()
    for server in (RESOLVER4, RESOLVER6):
        assert addresses(host.ask("www.example.org", server, RESOLVER_ADN)) == ["198.51.100.81"]
    proved("the ISP's resolver answers over TLS under its name, IPv4 and IPv6", now)
    now = time.monotonic()
    seen = host.kdig("www.example.org", RESOLVER4, RESOLVER_ADN)
    assert seen.trusted and seen.addresses == ("198.51.100.81",), seen.said
    wrong = host.kdig("www.example.org", RESOLVER4, "dns.example.org")
    assert not wrong.trusted and not wrong.addresses, wrong.said
    proved("kdig trusts it, and would not under another name", now)

    now = time.monotonic()
    with home.capture_wan() as wan:
        assert addresses(host.ask_clear("www.example.net", LAN4)) == ["198.51.100.80"]
    assert wan.holds("www.example.net")
    assert any(seen.name == "www.example.net" for seen in wan.clear_names()), wan.clear_names()
    proved("old hosts resolve by dnsmasq, and without porchlight the WAN can read it", now)

    now = time.monotonic()
    challenge = f"_acme-challenge.{ADN}."
    home.isp.update(f"update add {challenge} 1 TXT \"proof\"")
    answer = host.ask_clear(challenge, AUTHORITY4, "TXT")
    assert "proof" in answer.to_text(), answer
    home.isp.update(f"update delete {challenge} TXT")
    for lines, secret in (((f"update add {challenge} 1 TXT no",), "AAAA"),
                          (("update add www.example.net. 1 TXT no",), None)):
        try:
            home.isp.update(*lines, secret=secret)
        except AssertionError:
            continue
        raise AssertionError(f"an update that has no right was taken: {lines}")
    proved("the authority takes the router's dynamic update, and no other", now)

    now = time.monotonic()
    with home.router.ns.entered():
        trust = ssl.create_default_context(cafile=str(home.internet.root))
        trust.check_hostname = False  # this process has no resolver inside the home
        where = DIRECTORY.replace("ca.isp.test", "192.0.2.80")
        with urllib.request.urlopen(where, context=trust, timeout=5) as directory:
            assert "newOrder" in json.load(directory)
    proved("the CA shows its directory", now)

    try:
        decode.dhcpv6(bytes(4))
        raise AssertionError("the decoder takes an empty name")
    except decode.Malformed:
        pass
