"""Stands in for odhcpd as an RA daemon that sends ND option 144 itself; Debian has none that does.

A process that advertises from a link as RFC 4861 wants it, answers solicitations, and says farewell
at SIGTERM. Its options are spread over two packets, as section 9 allows: router and prefix in one,
the encrypted resolver in another. SIGUSR1 makes it tell of that, SIGUSR2 take it back, thrice. What
the real odhcpd does in detail is proved nowhere here.
"""

from __future__ import annotations

import ipaddress
import select
import signal
import socket
import struct
import sys
import time

ALL_NODES, INTERVAL_S, ROUTER_LIFETIME_S, LIFETIME_S = "ff02::1", 3, 12, 600


def option(kind: int, body: bytes) -> bytes:
    padded = body + bytes(-(2 + len(body)) % 8)
    return bytes((kind, (2 + len(padded)) // 8)) + padded


def dnr(adn: str, address: str, lifetime_s: int) -> bytes:
    """RFC 9463 section 6.1: priority 1, one address, alpn dot."""
    name = b"".join(bytes((len(label),)) + label.encode() for label in adn.split(".")) + b"\0"
    params = struct.pack("!HH", 1, 4) + b"\x03dot"
    return option(144, struct.pack("!HIH", 1, lifetime_s, len(name)) + name
                  + struct.pack("!H", 16) + ipaddress.IPv6Address(address).packed
                  + struct.pack("!H", len(params)) + params)


def advertisement(router_lifetime_s: int, *options: bytes) -> bytes:
    return struct.pack("!BBHBBHII", 134, 0, 0, 64, 0x40, router_lifetime_s, 0, 0) + b"".join(options)


def main(interface: str, adn: str, address: str) -> None:
    index = socket.if_nametoindex(interface)
    with open(f"/sys/class/net/{interface}/address") as hardware:
        link_layer = option(1, bytes.fromhex(hardware.read().strip().replace(":", "")))
    prefix = option(3, struct.pack("!BBIII", 64, 0xC0, 3600, 1800, 0)
                    + ipaddress.IPv6Address("fd77:77:77::").packed)
    wire = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    types = [0xFFFFFFFF] * 8
    types[133 // 32] &= ~(1 << 133 % 32)
    wire.setsockopt(socket.IPPROTO_ICMPV6, 1, struct.pack("8I", *types))
    for hops in (socket.IPV6_MULTICAST_HOPS, socket.IPV6_UNICAST_HOPS):
        wire.setsockopt(socket.IPPROTO_IPV6, hops, 255)
    wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                    socket.inet_pton(socket.AF_INET6, "ff02::2") + struct.pack("I", index))
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    tells, last_words, ends = False, 0, False

    def begin(*_: object) -> None:
        nonlocal tells
        tells = True

    def take_back(*_: object) -> None:
        nonlocal tells, last_words
        tells, last_words = False, 3

    def end(*_: object) -> None:
        nonlocal ends
        ends = True

    signal.signal(signal.SIGUSR1, begin)
    signal.signal(signal.SIGUSR2, take_back)
    signal.signal(signal.SIGTERM, end)

    def say(to: str) -> None:
        nonlocal last_words
        wire.sendto(advertisement(ROUTER_LIFETIME_S, link_layer, prefix), (to, 0, 0, index))
        if tells or last_words:
            resolver = dnr(adn, address, LIFETIME_S if tells else 0)
            wire.sendto(advertisement(ROUTER_LIFETIME_S, link_layer, resolver), (to, 0, 0, index))
            last_words = max(0, last_words - (to == ALL_NODES))

    due = time.monotonic()
    print("it speaks", flush=True)
    while not ends:
        if time.monotonic() >= due:
            say(ALL_NODES)
            due = time.monotonic() + INTERVAL_S
        if select.select([wire], [], [], 0.1)[0]:
            _, peer = wire.recvfrom(1500)
            if peer[0] != "::":
                say(peer[0].split("%")[0])
    wire.sendto(advertisement(0, link_layer), (ALL_NODES, 0, 0, index))


if __name__ == "__main__":
    main(*sys.argv[1:])
