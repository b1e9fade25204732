"""Options 162 and 144 made from RFC 9463, for an ISP that nobody of porchlight's wrote."""

from __future__ import annotations

import ipaddress
import struct

import dns.name


def _params(alpn: tuple[str, ...]) -> bytes:
    ids = b"".join(bytes([len(one)]) + one.encode() for one in alpn)
    return struct.pack("!HH", 1, len(ids)) + ids


def _addresses(addresses: tuple[str, ...], version: int) -> bytes:
    own = [ipaddress.ip_address(one) for one in addresses]
    return b"".join(one.packed for one in own if one.version == version)


def dhcpv4(priority: int, adn: str, *addresses: str, alpn: tuple[str, ...] = ("dot",)) -> bytes:
    """One instance of option 162; without addresses the name alone (section 5.1)."""
    name = dns.name.from_text(adn).to_wire()
    packed = _addresses(addresses, 4)
    body = struct.pack("!HB", priority, len(name)) + name
    if packed:
        body += bytes([len(packed)]) + packed + _params(alpn)
    return struct.pack("!H", len(body)) + body


def dhcpv6(priority: int, adn: str, *addresses: str, alpn: tuple[str, ...] = ("dot",)) -> bytes:
    """The data of an option 144 (section 4.1)."""
    name = dns.name.from_text(adn).to_wire()
    packed = _addresses(addresses, 6)
    body = struct.pack("!HH", priority, len(name)) + name
    if packed:
        body += struct.pack("!H", len(packed)) + packed + _params(alpn)
    return body
