"""Devices of the home that act as its router or DHCP server, honestly and in disguise."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass

from .host import Host
from .program import Program, eventually, unconfined
from .router import LAN4, LAN6

ROGUE4 = f"{LAN4.rsplit('.', 1)[0]}.66"
RESOLVER6 = "fd66::53"
ADN = "rogue.example"
# Option 162: priority 1, the name, its address, ALPN dot (RFC 9463 section 5.1).
_NAME = bytes([5]) + b"rogue" + bytes([7]) + b"example" + bytes(1)
_REST = (b"\0\1" + bytes([len(_NAME)]) + _NAME + b"\4" + socket.inet_aton(ROGUE4)
         + b"\0\1\0\4\3dot")
OPTION_162 = len(_REST).to_bytes(2, "big") + _REST


def radvd(host: Host) -> Program:
    """Debian's radvd as a second router, with a resolver of its own."""
    config = host.ns.folder / "radvd.conf"
    config.write_text(f"""interface eth0 {{
    AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 12;
    RDNSS {RESOLVER6} {{ AdvRDNSSLifetime 600; }};
}};
""")
    host.ns.set("net/ipv6/conf/all/forwarding", 1)
    return host.ns.start("radvd", "radvd", "-n", "-C", str(config), "-p",
                         str(host.ns.folder / "radvd.pid"), "-m", "stderr")


def dnsmasq(host: Host) -> Program:
    """Debian's dnsmasq as a second server of DHCPv4 and DHCPv6."""
    host.ns.ip(f"addr replace {ROGUE4}/24 dev eth0", "addr replace fd66::1/64 dev eth0 nodad")
    net = ROGUE4.rsplit(".", 1)[0]
    program = host.ns.start(
        "dnsmasq", "dnsmasq", "-k", "-C", "/dev/null", "-p", "0", "-i", "eth0", "--no-ping",
        "--dhcp-authoritative", "--log-facility=-", f"--dhcp-leasefile={host.ns.folder}/leases",
        f"--dhcp-range={net}.10,{net}.20,1h", f"--dhcp-option=162,{OPTION_162.hex(':')}",
        f"--dhcp-option=6,{ROGUE4}", "--dhcp-range=fd66::,static,64",
        f"--dhcp-option=option6:23,[{RESOLVER6}]")
    eventually("the rogue dnsmasq serves", lambda: "DHCPv6" in program.said())
    return program


def kea(host: Host) -> Program:
    """Kea as a second server of DHCPv4."""
    host.ns.ip(f"addr replace {ROGUE4}/24 dev eth0")
    net, folder = ROGUE4.rsplit(".", 1)[0], host.ns.folder
    config = folder / "kea.json"
    config.write_text(json.dumps({"Dhcp4": {
        "interfaces-config": {"interfaces": ["eth0"], "dhcp-socket-type": "raw"},
        "lease-database": {"type": "memfile", "persist": False},
        "multi-threading": {"enable-multi-threading": False},
        "option-data": [{"name": "domain-name-servers", "data": ROGUE4}],
        "subnet4": [{"id": 1, "subnet": f"{net}.0/24", "pools": [{"pool": f"{net}.30-{net}.40"}]}],
        "loggers": [{"name": "kea-dhcp4", "severity": "INFO",
                     "output_options": [{"output": "stdout"}]}]}}))
    program = host.ns.start("kea", unconfined("kea-dhcp4", folder / "bin"), "-c", str(config),
                            env={"KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": str(folder)})
    eventually(f"Kea serves (see {program.log})", lambda: "DHCP4_STARTED" in program.said())
    return program


@dataclass
class Disguise:
    """Frames of one sender, whom its hardware address tells from the others."""
    name: str
    mac: str
    frames: list[bytes]
    by: str = "Router Advertisement"  # as what it has to be named


def disguises() -> list[Disguise]:
    """Router Advertisements, and answers of DHCP, as those send them who know of guards (RFC
    7113)."""
    from scapy.layers import dhcp, inet, inet6, l2  # half a second to load: only who needs it waits
    from scapy.packet import Raw

    def sender(number: int) -> str:
        return f"02:00:5e:66:00:{number:02x}"

    def packet(number: int) -> inet6.IPv6:
        return inet6.IPv6(src=f"fe80::66:{number:x}", dst="ff02::1", hlim=255)

    def told() -> inet6.ICMPv6ND_RA:
        return inet6.ICMPv6ND_RA(routerlifetime=1800) / inet6.ICMPv6NDOptRDNSS(
            dns=[RESOLVER6], lifetime=600)

    def hop_by_hop() -> inet6.IPv6ExtHdrHopByHop:
        return inet6.IPv6ExtHdrHopByHop(options=[inet6.PadN(optdata=b"\0\0\0\0")])

    def options() -> inet6.IPv6ExtHdrDestOpt:
        return inet6.IPv6ExtHdrDestOpt(options=[inet6.PadN(optdata=b"\0\0\0\0")])

    def frame(number: int, content: inet6.IPv6) -> bytes:
        return bytes(l2.Ether(src=sender(number), dst="33:33:00:00:00:01") / content)

    def cut(number: int, octets_of_first: int) -> list[bytes]:
        """A packet with destination options in two fragments."""
        whole = bytes(packet(number) / options() / told())[40:]
        at = octets_of_first
        return [frame(number, packet(number) / inet6.IPv6ExtHdrFragment(
                    nh=60, id=number, m=more, offset=offset // 8) / part)
                for more, offset, part in ((1, 0, whole[:at]), (0, at, whole[at:]))]

    def tagged(number: int, *tags: int) -> bytes:
        plain = frame(number, packet(number) / told())
        return plain[:12] + b"".join(tag.to_bytes(2, "big") + b"\0\0" for tag in tags) + plain[12:]

    def in_snap(number: int) -> bytes:
        plain = frame(number, packet(number) / told())
        body = b"\xaa\xaa\x03\0\0\0" + plain[12:]
        return plain[:12] + len(body).to_bytes(2, "big") + body

    def cut_dhcpv4(number: int) -> list[bytes]:
        answer = inet.IP(src=ROGUE4, dst="255.255.255.255", id=number) / inet.UDP(
            sport=67, dport=68) / dhcp.BOOTP(op=2) / dhcp.DHCP(options=[
                ("message-type", "offer"), ("name_server", ROGUE4), "end"])
        return [bytes(l2.Ether(src=sender(number), dst="ff:ff:ff:ff:ff:ff") / part)
                for part in inet.fragment(answer, 256)]

    def cut_dhcpv6(number: int) -> list[bytes]:
        whole = bytes(packet(number) / inet.UDP(sport=547, dport=546) / Raw(
            b"\7abc" + bytes([0, 23, 0, 16]) + socket.inet_pton(socket.AF_INET6, RESOLVER6)))[40:]
        return [frame(number, packet(number) / inet6.IPv6ExtHdrFragment(
                    nh=17, id=number, m=more, offset=offset // 8) / Raw(part))
                for more, offset, part in ((1, 0, whole[:16]), (0, 16, whole[16:]))]

    def behind_mobility(number: int) -> bytes:
        whole = bytes(packet(number) / told())
        header = bytes([58, 0, 0, 0, 0, 0, 0, 0])
        ahead = packet(number)
        ahead.nh, ahead.plen = 135, len(header + whole[40:])
        return frame(number, ahead / Raw(header + whole[40:]))

    atomic = inet6.IPv6ExtHdrFragment(id=7)
    made = [
        ("plain", lambda n: [frame(n, packet(n) / told())]),
        ("behind destination options", lambda n: [frame(n, packet(n) / options() / told())]),
        ("behind a chain", lambda n: [frame(
            n, packet(n) / hop_by_hop() / options() / options() / told())]),
        ("an atomic fragment", lambda n: [frame(n, packet(n) / atomic / told())]),
        ("fragments, the message in the first", lambda n: cut(n, 24)),
        ("fragments, the message in the second", lambda n: cut(n, 8)),
        ("behind a VLAN tag of no VLAN", lambda n: [tagged(n, 0x8100)]),
        ("behind two of them", lambda n: [tagged(n, 0x8100, 0x8100)]),
        ("in SNAP", lambda n: [in_snap(n)]),
        ("behind a mobility header", lambda n: [behind_mobility(n)]),
        ("DHCPv4 in fragments", cut_dhcpv4),
        ("DHCPv6 in fragments", cut_dhcpv6),
    ]
    by = {"fragments, the message in the second": "hidden", "DHCPv4 in fragments": "DHCPv4",
          "DHCPv6 in fragments": "DHCPv6"}
    return [Disguise(name, sender(number), frames(number), by.get(name, "Router Advertisement"))
            for number, (name, frames) in enumerate(made, 1)]


def in_a_vlan() -> Disguise:
    """The router of another network, on its way through this wire."""
    from scapy.layers import inet6, l2

    mac = "02:00:5e:66:02:00"
    return Disguise("in a VLAN", mac, [bytes(
        l2.Ether(src=mac, dst="33:33:00:00:00:01") / l2.Dot1Q(vlan=5)
        / inet6.IPv6(src="fe80::66:200", dst="ff02::1", hlim=255)
        / inet6.ICMPv6ND_RA(routerlifetime=1800))])


def multicast_report() -> Disguise:
    """Who listens to a group, behind an option for routers, as every host says it (RFC 3810)."""
    from scapy.layers import inet6, l2

    mac = "02:00:5e:66:03:00"
    return Disguise("a report", mac, [bytes(
        l2.Ether(src=mac, dst="33:33:00:00:00:16")
        / inet6.IPv6(src="fe80::66:300", dst="ff02::16", hlim=1)
        / inet6.IPv6ExtHdrHopByHop(options=[inet6.RouterAlert(), inet6.PadN(optdata=b"")])
        / inet6.ICMPv6MLReport2())])


def ordinary() -> Disguise:
    """What a guard has to let pass: a large datagram in fragments, and an echo request behind
    destination options."""
    from scapy.layers import inet, inet6, l2
    from scapy.packet import Raw

    mac = "02:00:5e:66:01:00"
    ether = l2.Ether(src=mac, dst="33:33:00:00:00:01")
    packet = inet6.IPv6(src="fe80::66:100", dst="ff02::1")
    large = packet / inet6.IPv6ExtHdrFragment(id=100) / inet.UDP(sport=4000, dport=4000) / Raw(
        bytes(2400))
    echo = packet / inet6.IPv6ExtHdrDestOpt(options=[inet6.PadN(optdata=b"\0\0\0\0")]) / (
        inet6.ICMPv6EchoRequest(data=b"anyone?"))
    return Disguise("ordinary", mac, [bytes(ether / part) for part in
                                      [*inet6.fragment6(large, 1280), echo]])


def forgeries(victim: Host, victim4: str) -> list[Disguise]:
    """What says that it comes from a host of the home or from its router, and does not."""
    from scapy.layers import dhcp, inet, inet6, l2
    from scapy.packet import Raw

    tag = l2.Dot1Q(vlan=0)

    def framed(number: int, content: object) -> bytes:
        mac, to = f"02:00:5e:67:00:{number:02x}", "ff:ff:ff:ff:ff:ff"
        header = l2.Dot3 if isinstance(content, Raw) else l2.Ether
        return bytes(header(src=mac, dst=to) / content)

    def udp4(source: str) -> inet.IP:
        return inet.IP(src=source, dst="255.255.255.255") / inet.UDP(dport=4000) / Raw(b"?")

    def arp(number: int, source: str, says: str = "") -> l2.ARP:
        return l2.ARP(op=2, hwsrc=says or f"02:00:5e:67:00:{number:02x}", psrc=source,
                      pdst=ROGUE4)

    def neighbor(whose: str, source: str = "fe80::67:1") -> inet6.IPv6:
        return inet6.IPv6(src=source, dst="ff02::1", hlim=255) / inet6.ICMPv6ND_NA(
            tgt=whose, R=0, S=0, O=1) / inet6.ICMPv6NDOptDstLLAddr(lladdr="02:00:5e:67:00:08")

    made = [("a host's address", udp4(victim4)), ("the router's", udp4(LAN4)),
            ("the router's IPv6", inet6.IPv6(src=LAN6, dst="ff02::1") / inet.UDP(dport=4000)),
            ("ARP of a host", arp(4, victim4)), ("ARP of the router", arp(5, LAN4)),
            ("a Neighbor Advertisement of the router", neighbor(LAN6)),
            ("the same behind options", inet6.IPv6(
                src="fe80::67:1", dst="ff02::1", hlim=255) / inet6.IPv6ExtHdrDestOpt(
                    options=[inet6.PadN(optdata=b"\0\0\0\0")]) / neighbor(LAN6).payload),
            ("ARP behind a tag of no VLAN", tag / arp(8, LAN4)),
            ("a Neighbor Advertisement behind one", tag / neighbor(LAN6)),
            ("a host's address behind two", tag / tag / udp4(victim4)),
            ("ARP in SNAP", Raw(b"\xaa\xaa\x03\0\0\0\x08\x06" + bytes(arp(11, victim4)))),
            ("DHCP in a host's name", inet.IP(src="0.0.0.0", dst="255.255.255.255")
             / inet.UDP(sport=68, dport=67) / dhcp.BOOTP(
                 chaddr=bytes.fromhex(victim.mac().replace(":", "")))
             / dhcp.DHCP(options=[("message-type", "inform"), "end"]))]
    return [Disguise(name, f"02:00:5e:67:00:{number:02x}", [framed(number, content)])
            for number, (name, content) in enumerate(made, 1)]


def honest(sender: Host, sender4: str) -> list[Disguise]:
    """What uses its sender's own address, or one that is nobody's."""
    from scapy.layers import inet, inet6, l2

    def made(number: int, content: l2.Packet, mac: str = "") -> Disguise:
        mac = mac or f"02:00:5e:67:01:{number:02x}"
        return Disguise(f"honest {number}", mac,
                        [bytes(l2.Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / content)])

    return [made(1, inet.IP(src=sender4, dst="255.255.255.255") / inet.UDP(dport=4000),
                 sender.mac()),
            made(2, inet.IP(src=f"{LAN4.rsplit('.', 1)[0]}.77", dst="255.255.255.255")
                 / inet.UDP(dport=4000)),
            made(3, l2.ARP(op=1, hwsrc="02:00:5e:67:01:03", psrc="0.0.0.0", pdst=ROGUE4)),
            made(4, inet6.IPv6(src="fe80::67:4", dst="ff02::1", hlim=255)
                 / inet6.ICMPv6ND_NA(tgt="fe80::67:4", R=0, S=0, O=1)),
            made(5, l2.Dot1Q(vlan=5) / inet.IP(src=LAN4, dst="255.255.255.255")
                 / inet.UDP(dport=4000))]


def send(host: Host, *all_frames: Disguise) -> None:
    with host.ns.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind(("eth0", 0))
        for each in all_frames:
            for frame in each.frames:
                link.send(frame)
