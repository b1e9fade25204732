"""What is announced when it is not the router itself."""

from __future__ import annotations

import time
from typing import Iterator

import pytest

from lab import Home, decode
from lab.host import addresses
from lab.isp import ADN, RESOLVER4, RESOLVER6, RESOLVER_ADN
from lab.program import eventually
from lab.router import LAN4


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        yield home


def without(config: dict, *keys: str) -> dict:
    return {key: value for key, value in config.items() if key not in keys}


def test_static_resolvers_need_no_certificate_and_hosts_use_them_directly(home: Home) -> None:
    router = home.router
    named = [{"adn": RESOLVER_ADN, "addresses": [RESOLVER4, RESOLVER6], "dot": {}},
             {"adn": "doh.isp.test", "addresses": [RESOLVER4],
              "doh": [{"port": 8443, "path": "/dns-query{?dns}"}]}]
    router.configure(without(router.config(announce={"resolvers": named}),
                             "resolver", "certificate"))
    router.start_porchlight()
    status = router.until_announced()
    assert status["mode"] == "static"
    host = home.host()
    host.join()
    first4 = decode.Resolver(1, RESOLVER_ADN, (RESOLVER4,), ("dot",))
    second4 = decode.Resolver(2, "doh.isp.test", (RESOLVER4,), ("h2",), 8443, "/dns-query{?dns}")
    first6 = decode.Resolver(1, RESOLVER_ADN, (RESOLVER6,), ("dot",))
    assert host.dhcpv4() == decode.planned(status, "br-lan", 4) == [first4, second4]
    assert host.dhcpv6() == decode.planned(status, "br-lan", 6) == [first6]
    assert [option.resolver for option in host.ra()] == [first6]
    assert host.kdig("www.example.org", RESOLVER4, RESOLVER_ADN).trusted


def test_off_announces_nothing_and_old_hosts_still_leave_encrypted(home: Home) -> None:
    router = home.router
    router.configure(without(router.config(mode="off"), "certificate"))
    router.start_porchlight()
    status = router.until("a status", lambda status: status["mode"] == "off")
    assert not any(status["announced"][c] for c in ("dhcpv4", "dhcpv6", "ra"))
    host = home.host()
    host.join()
    assert host.dhcpv4() == host.dhcpv6() == host.ra(within_s=4) == []
    with home.capture_wan() as wan:
        assert addresses(host.ask_clear("www.example.org", LAN4)) == ["198.51.100.81"]
    assert not wan.holds("www.example.org") and wan.count("tcp.dstport == 853")


def test_a_reload_from_router_to_static_tells_hosts_in_one_step(home: Home) -> None:
    router = home.router
    router.start_porchlight()
    router.until_announced()
    host = home.host()
    host.join()
    old = host.ra()[0]
    with host.watching() as heard:
        assert host.ra()
        named = [{"adn": RESOLVER_ADN, "addresses": [RESOLVER4, RESOLVER6], "dot": {}}]
        router.configure(router.config(mode="static", announce={"resolvers": named}))
        router.reload_porchlight()
        router.until("static resolvers", lambda status: status["mode"] == "static"
                     and all(status["announced"][c] for c in ("dhcpv4", "dhcpv6", "ra")))
        new = decode.Resolver(1, RESOLVER_ADN, (RESOLVER4,), ("dot",))
        eventually("dnsmasq tells of them", lambda: host.dhcpv4() == [new])
        change = [each.encrypted_dns() for each in host.advertisements(12)
                  if len(each.encrypted_dns()) > 1]
    # One RA both takes the old back, octet for octet, and tells of the new, the new one first.
    changes = change or [each.encrypted_dns() for each in heard if len(each.encrypted_dns()) > 1]
    assert changes, "the change was not told in one RA"
    first, last = changes[0]
    assert first.resolver.adn == RESOLVER_ADN and first.lifetime_s > 0
    assert last.lifetime_s == 0
    assert last.octets[:4] + last.octets[8:] == old.octets[:4] + old.octets[8:]


def test_a_reload_from_static_to_router_leaves_hosts_with_one_or_the_other(home: Home) -> None:
    router = home.router
    named = [{"adn": RESOLVER_ADN, "addresses": [RESOLVER4, RESOLVER6], "dot": {}}]
    # With a certificate from the start, so that the router can be told of at once.
    router.start_porchlight()
    router.until_announced()
    router.configure(router.config(mode="static", announce={"resolvers": named}))
    router.reload_porchlight()
    router.until("static resolvers", lambda status: status["mode"] == "static"
                 and all(status["announced"][c] for c in ("dhcpv4", "dhcpv6", "ra")))
    host = home.host()
    host.join()
    with host.watching() as heard:
        eventually("the static resolver is told", lambda: any(
            option.resolver.adn == RESOLVER_ADN and option.lifetime_s
            for each in heard for option in each.encrypted_dns()))
        # Nobody has to wait for the 3 s that lie between multicasts: what is said leaves at once.
        eventually("a quiet moment", lambda: quiet(heard, for_s=3.2))
        router.configure()
        router.reload_porchlight()
        router.until("the router", lambda status: status["mode"] == "forwarder"
                     and all(status["announced"][c] for c in ("dhcpv4", "dhcpv6", "ra")))
        eventually("the router is told", lambda: any(
            option.resolver.adn == ADN and option.lifetime_s
            for each in heard for option in each.encrypted_dns()))
    known: set[str] = {RESOLVER_ADN}
    for each in heard:
        for option in each.encrypted_dns():
            (known.add if option.lifetime_s else known.discard)(option.resolver.adn)
        assert known, "an advertisement left hosts without a resolver"
    assert known == {ADN}


def quiet(heard: list[decode.RouterAdvertisement], for_s: float) -> bool:
    before = len(heard)
    time.sleep(for_s)
    return len(heard) == before
