"""Groups that dnsmasq knows by itself, and options of the draft alone, under changing numbers."""

from __future__ import annotations

from typing import Any, Iterator

import pytest

from lab import Home, decode, draft
from lab.host import Host
from lab.isp import RESOLVER4, RESOLVER6, RESOLVER_ADN
from lab.program import eventually
from lab.router import LAN4, Router

NAMED = {"adn": RESOLVER_ADN, "addresses": [RESOLVER4, RESOLVER6], "dot": {}}
NAMED4 = decode.Resolver(1, RESOLVER_ADN, (RESOLVER4,), ("dot",))
NAMED6 = decode.Resolver(1, RESOLVER_ADN, (RESOLVER6,), ("dot",))
FAMILY = {"adn": "family.example.org", "addresses": ["198.51.100.7", "2001:db8::7"], "dot": {}}
FAMILY4 = decode.Resolver(1, "family.example.org", ("198.51.100.7",), ("dot",))
FAMILY6 = decode.Resolver(1, "family.example.org", ("2001:db8::7",), ("dot",))

DRAFT_NAME = draft.Offer(("dot",), adn=RESOLVER_ADN)
DRAFT_ADDRESSES = draft.Offer(("dot",), 0, (RESOLVER6,))
DRAFT4 = draft.Offer(("dot",), 0, (RESOLVER4,), RESOLVER_ADN)
OTHER_NUMBERS = {"dhcpv4": 231, "dhcpv6_adn": 65011, "dhcpv6_addresses": 65012,
                 "ra_adn": 254, "ra_addresses": 253}  # changed places: no other are free


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        yield home


def static(router: Router, **announce: Any) -> None:
    config = router.config(mode="static", announce={
        "resolvers": [NAMED], "ra_interval": "4s", **announce})
    for key in ("resolver", "certificate"):
        del config[key]
    router.configure(config)


def test_a_tag_of_a_reservation_makes_a_group(home: Home) -> None:
    router = home.router
    child, half, other = home.host("child"), home.host("half"), home.host("other")
    network = LAN4.rsplit(".", 1)[0]
    with (router.folder / "dnsmasq.conf").open("a") as conf:
        conf.write(f"dhcp-host={child.mac()},{network}.42,[fd77:77:77::42],child,set:kids\n"
                   f"dhcp-host={half.mac()},{network}.43,half,set:kids\n")
    router.restart_dnsmasq()
    static(router, ra="off", groups=[{"tag": "kids", "resolvers": [FAMILY]}])
    router.start_porchlight()
    router.until_dnsmasq_tells()
    # porchlight knows no host: nothing but the tag stands in what it writes.
    assert child.mac() not in router.fragment.read_text()
    assert child.join()["ip"] == f"{network}.42"
    assert child.dhcpv4() == child.dhcpv4_by_dhclient() == [FAMILY4]
    assert child.dhcpv6() == child.dhcpv6_by_dhclient() == [FAMILY6]
    # The control: who has no such reservation is told what the link is.
    other.join()
    assert other.dhcpv4() == other.dhcpv4_by_dhclient() == [NAMED4]
    assert other.dhcpv6() == other.dhcpv6_by_dhclient() == [NAMED6]
    # A reservation of an IPv4 address alone is none to dnsmasq where it answers by DHCPv6.
    assert half.join()["ip"] == f"{network}.43"
    assert half.dhcpv4() == [FAMILY4] and half.dhcpv6() == [NAMED6]
    # The reservation loses its tag: the child is a host like any other.
    conf_file = router.folder / "dnsmasq.conf"
    conf_file.write_text(conf_file.read_text().replace(",set:kids", ""))
    router.restart_dnsmasq()
    assert child.ask_udhcpc()["ip"] == f"{network}.42"
    assert child.dhcpv4() == [NAMED4] and child.dhcpv6() == [NAMED6]


# Which options a host is given, of all numbers that occur here.

def by_dhcpv4(host: Host) -> dict[int, bytes]:
    said = host.ask_udhcpc(also=(230, 231))
    return {code: bytes.fromhex(said[f"opt{code}"]) for code in (162, 230, 231)
            if f"opt{code}" in said}


def by_dhcpv6(host: Host) -> dict[int, list[bytes]]:
    options = host.dhcpv6_options(144, 65001, 65002, 65003, 65011, 65012)
    return {code: data for code, data in options.items() if data}


def lifetimes(heard: list[decode.RouterAdvertisement]) -> dict[bytes, int]:
    """The lifetime that a host last heard of each option, which stands at the same place in all."""
    return {option[:4] + option[8:]: int.from_bytes(option[4:8], "big")
            for each in heard for kind, option in each.options if kind in (144, 253, 254)}


def believed(heard: list[decode.RouterAdvertisement]) -> dict[int, bytes]:
    """By type, what a host still believes; the lifetime is cut out."""
    standing = [option for option, lifetime in lifetimes(heard).items() if lifetime]
    assert len({option[0] for option in standing}) == len(standing)
    return {option[0]: option for option in standing}


def until_believed(heard: list[decode.RouterAdvertisement], types: set[int],
                   not_any_more: dict[int, bytes]) -> dict[int, bytes]:
    """The new options, when all of them were heard and each old one was taken back."""

    def probe() -> bool:
        known = lifetimes(heard)
        return all(known[old] == 0 for old in not_any_more.values()) and {
            option[0] for option, lifetime in known.items() if lifetime} == types

    eventually(f"the host believes {types} and nothing else", probe)
    return believed(heard)


def whole(option: bytes) -> bytes:
    return option[:4] + bytes(4) + option[4:]


def test_the_draft_alone_and_its_numbers_change_under_a_running_daemon(home: Home) -> None:
    router, host = home.router, home.host()
    static(router, formats=["draft-btw-11"])
    router.start_porchlight()
    router.until_announced()
    host.join()
    with host.watching() as heard:
        told4, told6 = by_dhcpv4(host), by_dhcpv6(host)
        assert list(told4) == [230] and draft.dhcpv4(told4[230]) == [DRAFT4]
        assert sorted(told6) == [65001, 65002]
        assert draft.dhcpv6_name(told6[65001][0]) == DRAFT_NAME
        assert draft.dhcpv6_addresses(told6[65002][0]) == DRAFT_ADDRESSES
        first = until_believed(heard, {253, 254}, {})
        assert draft.nd_name(whole(first[253])).adn == RESOLVER_ADN
        assert draft.nd_addresses(whole(first[254])).addresses == (RESOLVER6,)
        assert not any(option[0] == 144 for option in lifetimes(heard))

        # Other numbers: the old options are taken back under the old ones.
        static(router, formats=["draft-btw-11"], code_points=OTHER_NUMBERS)
        router.reload_porchlight()
        second = until_believed(heard, {253, 254}, first)
        assert draft.nd_name(whole(second[254])).adn == RESOLVER_ADN
        assert draft.nd_addresses(whole(second[253])).addresses == (RESOLVER6,)
        assert eventually("the new number by DHCPv4", lambda: list(
            told := by_dhcpv4(host)) == [231] and told) == {231: told4[230]}
        assert by_dhcpv6(host) == {65011: told6[65001], 65012: told6[65002]}

        # The control of what was absent, and a change of form: those of RFC 9463 alone.
        static(router)
        router.reload_porchlight()
        third = until_believed(heard, {144}, second)
        assert decode.nd_option(whole(third[144])).resolver == NAMED6
        told4 = eventually("the other form by DHCPv4",
                           lambda: list(told := by_dhcpv4(host)) == [162] and told)
        assert decode.dhcpv4(told4[162]) == [NAMED4]
        told6 = by_dhcpv6(host)
        assert list(told6) == [144] and decode.dhcpv6(told6[144][0]) == NAMED6

        # And back, beside each other.
        static(router, formats=["rfc9463", "draft-btw-11"])
        router.reload_porchlight()
        assert set(until_believed(heard, {144, 253, 254}, {})) == {144, 253, 254}
