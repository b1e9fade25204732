"""DHCPv4 options of more than 255 octets (RFC 3396). dnsmasq can't send them; Kea can, and cuts
them itself. What the clients join again is what `porchlight options encode` made."""

from __future__ import annotations

import json
from typing import Any, Iterator

import pytest

from lab import Home, decode
from lab.capture import Capture
from lab.kea import Kea
from lab.router import BINARY, Router

DNR = 162
PIECE_MAX = 255
BOOTP_OPTIONS_AT = 240  # behind the fixed fields and the magic cookie (RFC 2131 section 3)
# Where clients end: udhcpc's room for the options of an answer (308 octets, 80 more for buggy
# servers), and dhcpcd's for one option in hexadecimal digits.
UDHCPC_OPTIONS_MAX = 308 + 80
DHCPCD_OPTION_MAX = 511


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with Home(dnsmasq=False) as home:
        yield home


def encoded(router: Router, octets: int) -> tuple[list[dict[str, Any]], bytes]:
    """As many resolvers as `octets` octets hold, and the option; the last one's path fills it."""
    resolvers: list[dict[str, Any]] = []
    while True:
        number = len(resolvers) + 1
        more = resolvers + [{
            "priority": number, "adn": f"resolver{number}.example.org.",
            "addresses": [f"198.51.100.{number}"], "alpn": ["h2"], "dohpath": "/q{?dns}"}]
        if len(encode(router, more)) > octets:
            break
        resolvers = more
    missing = octets - len(encode(router, resolvers))
    resolvers[-1]["dohpath"] = "/" + "q" * (1 + missing) + "{?dns}"
    payload = encode(router, resolvers)
    assert len(payload) == octets and len(resolvers) > 1
    return resolvers, payload


def encode(router: Router, resolvers: list[dict[str, Any]]) -> bytes:
    return bytes.fromhex(options(router, "encode", json.dumps(resolvers)))


def decoded(router: Router, *pieces: bytes) -> list[dict[str, Any]]:
    said = json.loads(options(router, "decode", *(piece.hex() for piece in pieces)))
    assert all(each.pop("usable") for each in said)
    return said


def options(router: Router, verb: str, *arguments: str) -> str:
    return router.ns.run(str(BINARY), "options", verb, "--carrier", "dhcpv4", *arguments).stdout


def pieces_on_the_wire(lan: Capture) -> list[list[bytes]]:
    """The instances of option 162 in each packet that has some, in their order."""
    packets = [[data for code, data in dhcp_options(bytes.fromhex(row[0])) if code == DNR]
               for row in lan.fields("udp.srcport == 67", "udp.payload")]
    return [pieces for pieces in packets if pieces]


def dhcp_options(message: bytes) -> Iterator[tuple[int, bytes]]:
    at = BOOTP_OPTIONS_AT
    while message[at] != 255:
        if message[at] == 0:
            at += 1
            continue
        end = at + 2 + message[at + 1]
        yield message[at], message[at + 2:end]
        at = end


@pytest.mark.parametrize("octets", [200, 300, 700])
def test_what_is_sent_in_pieces_is_what_was_encoded(home: Home, octets: int) -> None:
    router, host = home.router, home.host()
    resolvers, payload = encoded(router, octets)
    kea = Kea(router, payload)
    with home.capture_lan("udp port 67") as lan:
        if octets < UDHCPC_OPTIONS_MAX:
            assert bytes.fromhex(host.ask_udhcpc()["opt162"]) == payload
        else:
            # It throws such an answer away whole, and has no address either.
            with pytest.raises(AssertionError, match="no lease, failing"):
                host.ask_udhcpc(tries=2)
        assert host.option_162_by_dhclient() == payload
        # dhcpcd hands over all of an option or nothing of it.
        assert host.option_162_by_dhcpcd() == (payload if octets <= DHCPCD_OPTION_MAX else b"")
    kea.stop()
    # On the wire: 255 octets at most in each, and joined in their order they are the option. The
    # control is that of 200 octets, which is in one.
    packets = pieces_on_the_wire(lan)
    assert packets
    for pieces in packets:
        assert all(len(piece) <= PIECE_MAX for piece in pieces)
        assert b"".join(pieces) == payload
        assert (len(pieces) == 1) == (octets <= PIECE_MAX)
    # And read: by us, whole and in pieces, and by somebody who never saw our code.
    assert decoded(router, payload) == decoded(router, *packets[0]) == resolvers
    assert [resolver.adn + "." for resolver in decode.dhcpv4(payload)] == [
        resolver["adn"] for resolver in resolvers]
