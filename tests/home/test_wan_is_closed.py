"""Toward the WAN the encrypted ports are silent (base draft, section 9.1)."""

from __future__ import annotations

import socket

from lab import Home
from lab.capture import Capture
from lab.isp import ADN
from lab.namespace import Namespace
from lab.router import LAN4, LAN6, WAN4, WAN6

OURS = (WAN4, WAN6, LAN4, LAN6)


def knock(from_: Namespace, address: str, port: int = 853, within_s: float = 1.5) -> str:
    """What becomes of a TCP connection: "accepted", "refused" or "silence"."""
    with from_.entered():
        try:
            socket.create_connection((address, port), timeout=within_s).close()
            return "accepted"
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "silence"


def knock_udp(from_: Namespace, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with from_.entered(), socket.socket(family, socket.SOCK_DGRAM) as datagram:
        datagram.sendto(b"anyone?", (address, 853))


def answers(capture: Capture) -> int:
    """Packets by which the router answered: SYN-ACK, RST, datagrams, ICMP errors."""
    from_us = " or ".join(f"ip{'v6' if ':' in a else ''}.src == {a}" for a in OURS)
    return capture.count(f"({from_us}) and (tcp.srcport == 853 or udp.srcport == 853"
                         " or icmp.type == 3 or icmpv6.type < 128)")


def test_the_wan_gets_no_answer_while_the_lan_does(home: Home) -> None:
    host = home.host()
    host.join()
    with home.capture_wan() as wan:
        for address in OURS:
            assert knock(home.isp.ns, address) == "silence", address
            knock_udp(home.isp.ns, address)
    arrived = wan.count("tcp.dstport == 853 and tcp.flags.syn == 1 and not tcp.flags.ack == 1"
                        f" and (ip.dst == {WAN4} or ip.dst == {LAN4} or ipv6.dst == {WAN6}"
                        f" or ipv6.dst == {LAN6})")
    assert arrived >= len(OURS), "the knocking never came to the router"
    assert answers(wan) == 0

    for address in (LAN4, LAN6):
        assert knock(host.ns, address, within_s=10) == "accepted"


def test_without_the_rule_the_wan_is_refused_at_most(home: Home) -> None:
    host = home.host()
    host.join()
    with home.capture_wan() as wan:
        # At the last moment: the keeper looks every minute whether its rule stands.
        home.router.ns.run("nft", "flush", "ruleset")
        for address in OURS:
            assert knock(home.isp.ns, address) in ("refused", "silence"), address
    assert answers(wan) > 0, "this is the control of the test before: now something is seen"
    assert wan.count("tcp.srcport == 853 and tcp.flags.syn == 1 and tcp.flags.ack == 1"
                     f" and (ip.src == {WAN4} or ip.src == {LAN4})") == 0
    assert host.ask("www.example.org", LAN4, ADN).answer
