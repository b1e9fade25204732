"""The options of draft-btw-add-home-11, read by someone who never saw porchlight's code.

Written from the draft's figures; dnspython decodes the names.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import struct

import dns.name

_PROTOCOLS = {0x01: "dot", 0x02: "doh", 0x04: "doq"}


@dataclasses.dataclass(frozen=True)
class Offer:
    protocols: tuple[str, ...]
    port: int = 0  # 0: each protocol's own
    addresses: tuple[str, ...] = ()
    adn: str = ""
    lifetime_s: int | None = None


def dhcpv4(payload: bytes) -> list[Offer]:
    """Figures 11 to 13: flags, count, port, addresses, name; one behind the other."""
    offers = []
    while payload:
        flags, count, port = struct.unpack_from("!BBH", payload)
        end = 4 + 4 * count
        name, size = dns.name.from_wire(payload, end)
        offers.append(Offer(_protocols(flags), port, _addresses(payload[4:end], 4), _text(name)))
        payload = payload[end + size:]
    return offers


def dhcpv6_name(option: bytes) -> Offer:
    """Figure 7."""
    name, size = dns.name.from_wire(option, 1)
    assert 1 + size == len(option), "a name fills the option"
    return Offer(_protocols(option[0]), adn=_text(name))


def dhcpv6_addresses(option: bytes) -> Offer:
    """Figure 10."""
    flags, _, port = struct.unpack_from("!BBH", option)
    return Offer(_protocols(flags), port, _addresses(option[4:], 16))


def nd_name(option: bytes) -> Offer:
    """Figure 14, type and length included."""
    flags, _, lifetime = struct.unpack_from("!BBI", option, 2)
    name, size = dns.name.from_wire(option, 8)
    padding = option[8 + size:]
    assert option[1] * 8 == len(option) and len(padding) < 8 and not any(padding)
    return Offer(_protocols(flags), adn=_text(name), lifetime_s=lifetime)


def nd_addresses(option: bytes) -> Offer:
    """Figure 15; what remains of the last eight octets is padding."""
    lifetime, flags, _, port = struct.unpack_from("!IBBH", option, 4)
    count = (len(option) - 12) // 16
    assert option[1] * 8 == len(option) and not any(option[12 + 16 * count:])
    return Offer(_protocols(flags), port, _addresses(option[12:12 + 16 * count], 16),
                 lifetime_s=lifetime)


def _protocols(flags: int) -> tuple[str, ...]:
    assert flags and not flags & ~0x07, f"flags {flags:#x}"
    return tuple(name for bit, name in _PROTOCOLS.items() if flags & bit)


def _addresses(octets: bytes, size: int) -> tuple[str, ...]:
    assert octets and len(octets) % size == 0
    return tuple(str(ipaddress.ip_address(octets[at:at + size]))
                 for at in range(0, len(octets), size))


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
