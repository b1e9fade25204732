"""The WAN's DHCP: the ISP's dnsmasq, and the router's client with the hooks that are installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .home import Home
from .host import dhcpcd as dhcpcd_arguments
from .isp import Isp
from .program import Program, eventually, unconfined
from .router import BINARY, ROOT, Router

HOOKS = ROOT / "hooks"


def relay(home: Home, **changes: Any) -> None:
    """Nothing is configured but the interfaces: mode auto relays."""
    config = home.router.config(**changes)
    for key in ("resolver", "certificate", "upstream", "local"):
        config.pop(key)
    home.router.configure(config)


def names(status: dict[str, Any]) -> list[str]:
    """Whom hosts are told of."""
    return [resolver["adn"].rstrip(".") for link in status["plan"]
            for resolver in link["resolvers"]]


def offers(status: dict[str, Any], wan: str = "eth0", source: str = "dhcpv4") -> dict[str, Any]:
    """What one source of one WAN offers, by `status`."""
    return next((one for one in status["offers"]
                 if (one["wan"], one["source"]) == (wan, source)), {})


class IspDhcp:
    """dnsmasq behind a WAN link, by default `wan0`; it offers option 162 as given octets."""

    def __init__(self, isp: Isp, option_162: bytes, link: str = "wan0",
                 network: str = "192.0.2", option_144: bytes = b"",
                 plain: str = "") -> None:
        self._isp, self._link, self._network = isp, link, network
        self._option_144 = option_144
        self._plain = plain or f"{network}.53"
        self._program: Program | None = None
        self.offer(option_162)

    def offer(self, option_162: bytes) -> None:
        """From now on; clients hear of it when they ask again."""
        if self._program:
            self._program.stop()
        folder: Path = self._isp.ns.folder
        options = f"dhcp-option-force=162,{option_162.hex(':')}\n" if option_162 else ""
        if self._option_144:
            options += ("dhcp-range=2001:db8:0:1::1000,2001:db8:0:1::1fff,64,2m\n"
                        f"dhcp-option=option6:144,{self._option_144.hex(':')}\n")
        conf = folder / f"dhcp-{self._link}.conf"
        conf.write_text(f"""port=0
interface={self._link}
bind-interfaces
dhcp-authoritative
no-ping
log-dhcp
pid-file={folder}/dhcp-{self._link}.pid
dhcp-leasefile={folder}/dhcp-{self._link}.leases
dhcp-range={self._network}.100,{self._network}.199,2m
dhcp-option=6,{self._plain}
{options}""")
        self._program = self._isp.ns.start(f"dhcp-{self._link}", "dnsmasq", "-k", "-C", str(conf),
                                           "--log-facility=-")
        eventually("the ISP's DHCP server", lambda: "DHCP, IP range" in self._program.said())

    def stop(self) -> None:
        assert self._program
        self._program.stop()


def hook(router: Any, name: str) -> Path:
    """The installed hook with, in place of `porchlight`, this home's and its configuration."""
    script = router.folder / f"hook-{name}"
    program = f'"{BINARY}" wan -c "{router.config_file}"'
    text = (HOOKS / name).read_text()
    assert "porchlight wan" in text
    script.write_text(text.replace("porchlight wan", program))
    script.chmod(0o755)
    return script


class Udhcpc:
    """The router's DHCPv4 client: SIGUSR1 renews, SIGUSR2 gives the lease up."""

    def __init__(self, router: Router, link: str = "eth0") -> None:
        self._program: Program = router.ns.start(
            f"udhcpc-{link}", "udhcpc", "-i", link, "-f", "-t", "5", "-T", "1", "-A", "1",
            "-O", "162", "-s", str(hook(router, "udhcpc.user")))

    def until_leased(self) -> None:
        eventually(f"a lease (see {self._program.log})", lambda: "lease of" in self._program.said())

    def send(self, number: int) -> None:
        self._program.send(number)

    def stop(self) -> None:
        self._program.stop()


_DHCLIENT = """option dnr code 162 = string;
option dhcp6.dnr code 144 = string;
initial-interval 1;
request subnet-mask, domain-name-servers;
also request dnr, dhcp6.dnr, dhcp6.name-servers;
"""
_DHCPCD = """duid
noarp
define 162 binhex dnr
define6 144 binhex dnr
option dnr, dhcp6_dnr
script {script}
"""


def dhclient(router: Router, *options: str) -> Program:
    """ISC's client on the WAN: "-4", "-6"."""
    folder = router.folder
    (folder / "dhclient.conf").write_text(_DHCLIENT)
    return router.ns.start(
        "dhclient", unconfined("dhclient", folder / "bin"), *options, "-d",
        "-cf", str(folder / "dhclient.conf"), "-lf", str(folder / "dhclient.leases"),
        "-pf", str(folder / "dhclient.pid"), "-sf", str(hook(router, "dhclient")), "eth0")


def dhcpcd(router: Router, *options: str) -> Program:
    """dhcpcd on the WAN, which keeps the addresses that are there."""
    conf = router.folder / "dhcpcd.conf"
    conf.write_text(_DHCPCD.format(script=hook(router, "dhcpcd")))
    return router.ns.start("dhcpcd", *dhcpcd_arguments(f"-B {' '.join(options)} -f {conf} eth0"))
