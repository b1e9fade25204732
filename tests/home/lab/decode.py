"""Encrypted-DNS options read from RFC 9463 by someone who never saw porchlight's code.

Names and SvcParams are decoded by dnspython, the rest by struct. Everything is strict: what a
careful host would discard raises Malformed. `from_plan` turns an entry of `porchlight status
--json` into the same type, so that announcement and plan can be compared.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import struct
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.svcbbase as svcb


class Malformed(ValueError):
    """A careful host would discard this."""


@dataclasses.dataclass(frozen=True)
class Resolver:
    priority: int
    adn: str
    addresses: tuple[str, ...]
    alpn: tuple[str, ...]
    port: int | None = None
    dohpath: str | None = None

    def __str__(self) -> str:
        where = ", ".join(self.addresses) or "(ask for its addresses)"
        how = ", ".join(self.alpn)
        return (f"{self.adn} at {where}, protocol {how}"
                + (f", port {self.port}" if self.port else "")
                + (f", path {self.dohpath}" if self.dohpath else "")
                + f", priority {self.priority}")


@dataclasses.dataclass(frozen=True)
class NdOption:
    """ND option 144: a resolver and for how many seconds it may be used."""
    resolver: Resolver
    lifetime_s: int
    octets: bytes


@dataclasses.dataclass(frozen=True)
class RouterAdvertisement:
    source: str
    hop_limit: int
    header: bytes  # 16 octets, ICMPv6 type to Retrans Timer
    options: tuple[tuple[int, bytes], ...]  # type, whole option
    multicast: bool = True

    @property
    def router_lifetime_s(self) -> int:
        return struct.unpack_from("!H", self.header, 6)[0]

    @property
    def flags(self) -> int:
        return self.header[5]

    def encrypted_dns(self) -> list[NdOption]:
        return [nd_option(option) for kind, option in self.options if kind == 144]


def dhcpv4(payload: bytes) -> list[Resolver]:
    """Option 162, its pieces joined: a run of instances (RFC 9463 section 5.1)."""
    resolvers = []
    while payload:
        length, payload = _field("!H", payload)
        instance, payload = _take(payload, length)
        priority, instance = _field("!H", instance)
        adn_length, instance = _field("!B", instance)
        adn, instance = _take(instance, adn_length)
        if not instance:
            resolvers.append(Resolver(priority, _adn(adn), (), ()))
            continue
        size, instance = _field("!B", instance)
        addresses, params = _take(instance, size)
        resolvers.append(_resolver(priority, adn, addresses, 4, params))
    return resolvers


def dhcpv6(payload: bytes) -> Resolver:
    """One option 144 without its code and length (section 4.1)."""
    priority, payload = _field("!H", payload)
    adn_length, payload = _field("!H", payload)
    adn, payload = _take(payload, adn_length)
    if not payload:
        return Resolver(priority, _adn(adn), (), ())
    size, payload = _field("!H", payload)
    addresses, params = _take(payload, size)
    return _resolver(priority, adn, addresses, 16, params)


def nd_option(option: bytes) -> NdOption:
    """A whole ND option, type and length included (section 6.1)."""
    if len(option) < 16 or option[0] != 144 or option[1] * 8 != len(option):
        raise Malformed("ND option: type or length")
    priority, rest = _field("!H", option[2:])
    lifetime, rest = _field("!I", rest)
    adn_length, rest = _field("!H", rest)
    adn, rest = _take(rest, adn_length)
    if len(rest) < 8 and not any(rest):
        return NdOption(Resolver(priority, _adn(adn), (), ()), lifetime, option)
    size, rest = _field("!H", rest)
    addresses, rest = _take(rest, size)
    params_length, rest = _field("!H", rest)
    params, padding = _take(rest, params_length)
    if len(padding) > 7 or any(padding):
        raise Malformed("ND option: padding")
    return NdOption(_resolver(priority, adn, addresses, 16, params), lifetime, option)


def svcb_record(rdata: bytes, addresses: tuple[str, ...]) -> Resolver:
    """An SVCB record's RDATA, with the addresses told along (RFC 9462 section 4)."""
    priority, rest = _field("!H", rdata)
    if priority == 0:
        raise Malformed("an alias")
    size = rest.index(0) + 1
    adn, params = _take(rest, size)
    return dataclasses.replace(_params(params), priority=priority, adn=_adn(adn),
                               addresses=addresses)


def router_advertisement(message: bytes, source: str, hop_limit: int) -> RouterAdvertisement:
    """An ICMPv6 message of type 134, checked as RFC 4861 section 6.1.2 wants it."""
    if len(message) < 16 or message[0] != 134 or message[1] != 0:
        raise Malformed("not a Router Advertisement")
    if hop_limit != 255 or not ipaddress.IPv6Address(source).is_link_local:
        raise Malformed(f"RA from {source} with hop limit {hop_limit}")
    options, rest = [], message[16:]
    while rest:
        if len(rest) < 2 or rest[1] == 0:
            raise Malformed("RA option without length")
        option, rest = _take(rest, rest[1] * 8)
        options.append((option[0], option))
    return RouterAdvertisement(source, hop_limit, message[:16], tuple(options))


def from_plan(entry: dict[str, Any], version: int) -> Resolver:
    """What a carrier of IPv4 or IPv6 should say of an entry of the plan."""
    addresses = tuple(str(address) for address in map(ipaddress.ip_address, entry["addresses"])
                      if address.version == version)
    return Resolver(entry["priority"], entry["adn"].rstrip(".").lower(), addresses,
                    tuple(entry["alpn"]), entry.get("port"), entry.get("dohpath"))


def planned(status: dict[str, Any], link: str, version: int) -> list[Resolver]:
    """All that the carriers of one IP version should say on a link, in order of priority."""
    resolvers = [from_plan(entry, version) for part in status["plan"] if part["link"] == link
                 for entry in part["resolvers"]]
    return sorted((r for r in resolvers if r.addresses), key=lambda resolver: resolver.priority)


def _resolver(priority: int, adn: bytes, addresses: bytes, size: int, params: bytes) -> Resolver:
    if not addresses or len(addresses) % size:
        raise Malformed(f"{len(addresses)} octets of addresses")
    listed = [ipaddress.ip_address(addresses[at:at + size])
              for at in range(0, len(addresses), size)]
    if any(address.is_multicast or address.is_loopback for address in listed):
        raise Malformed("a multicast or loopback address")
    return dataclasses.replace(_params(params), priority=priority, adn=_adn(adn),
                               addresses=tuple(map(str, listed)))


def _params(params: bytes) -> Resolver:
    """A resolver of which nothing but its SvcParams is known."""
    # SvcParams stand in a SVCB record behind priority and target name: "1 ." makes one of them.
    try:
        record = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.SVCB,
                                     b"\0\1\0" + params, 0, 3 + len(params))
    except (dns.exception.DNSException, ValueError) as fault:
        raise Malformed(f"SvcParams: {fault}") from fault
    known = record.params
    if svcb.ParamKey.IPV4HINT in known or svcb.ParamKey.IPV6HINT in known:
        raise Malformed("an address hint")
    alpn = known.get(svcb.ParamKey.ALPN)
    port = known.get(svcb.ParamKey.PORT)
    dohpath = known.get(7)
    return Resolver(0, "", (), tuple(name.decode() for name in alpn.ids) if alpn else (),
                    port.port if port else None, dohpath.value.decode() if dohpath else None)


def _adn(field: bytes) -> str:
    at = 0
    while at < len(field) and field[at]:
        if field[at] > 63:
            raise Malformed("ADN: a compressed name")
        at += 1 + field[at]
    if at + 1 != len(field) or at == 0:
        raise Malformed("ADN: does not fill its field")
    name, _ = dns.name.from_wire(field, 0)
    return name.to_text(omit_final_dot=True).lower()


def _field(layout: str, data: bytes) -> tuple[int, bytes]:
    size = struct.calcsize(layout)
    if len(data) < size:
        raise Malformed("ends too early")
    return struct.unpack_from(layout, data)[0], data[size:]


def _take(data: bytes, count: int) -> tuple[bytes, bytes]:
    if len(data) < count:
        raise Malformed("ends too early")
    return data[:count], data[count:]
